-- The shop's tables. The file's comment, not the schema's.

CREATE SCHEMA IF NOT EXISTS shop;
CREATE EXTENSION IF NOT EXISTS pgcrypto;

CREATE TYPE shop.state AS ENUM ('open', 'paid', 'sent');
CREATE TYPE address AS (street text, city text);
CREATE TYPE shop.cursor;
CREATE DOMAIN shop.price AS numeric(10, 2) CHECK (VALUE >= 0);

-- Who buys.
CREATE TABLE IF NOT EXISTS shop.customers (
    id serial PRIMARY KEY, -- never used again
    "full name" text NOT NULL,
    mail varchar(200) DEFAULT 'nobody@example.org', /* for bills */
    größe int,
    referrer int REFERENCES shop.customers (id)
);

/* What is bought:
 * CREATE TABLE not_this (id int); */
create table orders (
    id bigint,
    customer int references shop.customers(id),
    total numeric
);

CREATE UNIQUE INDEX customers_mail ON shop.customers (mail);
CREATE INDEX IF NOT EXISTS orders_customer ON orders USING btree (customer);
CREATE SEQUENCE shop.numbers START 100;

-- Open orders only.
CREATE OR REPLACE VIEW shop.open_orders AS
SELECT o.id, lower(c.mail) AS mail, count(*) FROM orders o JOIN shop.customers c ON c.id = o.customer
GROUP BY o.id, c.mail;

CREATE MATERIALIZED VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;

-- Adds what is owed.
CREATE OR REPLACE FUNCTION shop.owed(who int, since date) RETURNS numeric AS $$
    SELECT sum(total) FROM orders WHERE customer = who;
$$ LANGUAGE sql STABLE;

CREATE FUNCTION shop.owed(who int) RETURNS numeric AS 'SELECT 1' LANGUAGE sql;

CREATE TRIGGER orders_changed AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION shop.note_change();

-- Not PostgreSQL's words from here on.
CREATE PROCEDURE pay(IN order_id int)
BEGIN
    UPDATE orders SET total = 0 WHERE id = order_id;
END;

CREATE DEFINER = root FUNCTION `shop`.`round_up`(x decimal) RETURNS int DETERMINISTIC
BEGIN
    RETURN ceil(x);
END;

INSERT INTO orders (id, customer) VALUES (1, 2), (3, 4);
SELECT 'CREATE TABLE in_a_string (id int)';
CREATE TABLE `last one` (`id` int, `when` timestamp);
