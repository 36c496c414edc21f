-- One word for one thing: mail becomes email. The half-finished import is dropped.
ALTER TABLE customers RENAME COLUMN mail TO email;
DROP TABLE legacy_import;
CREATE INDEX ix_customers_country ON customers (country);
