-- One.
CREATE TABLE one (
  id int, -- key
  name text
);

CREATE VIEW two AS SELECT * FROM one;
