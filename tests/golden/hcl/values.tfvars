region = "eu"
# How many.
count = 2
tags = {
  a = "b"
}
