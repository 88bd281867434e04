CREATE TABLE whole (id int);

CREATE TABLE half (
    id int,
    name text DEFAULT (

CREATE VIEW later AS SELECT id FROM whole;
CREATE FUNCTION (no name) RETURNS int;
CREATE PROCEDURE billing AS
BEGIN
CREATE TABLE last_one (id int);
