job "whole" {
  group "web" {
    task "server" { driver = "docker" }
  }
}

job "half" {
  group "web" {
    count = (

job "later" {
  type = "batch"
}
