-- The gateway bills by the month, so fees leave the payments; country codes become a table of their own.
ALTER TABLE payments DROP COLUMN gateway_fee;
CREATE TABLE countries (
  code CHAR(2) PRIMARY KEY,
  name TEXT NOT NULL,
  vat_rate DECIMAL(4,2) NOT NULL
);
DROP VIEW v_open_orders;
CREATE VIEW v_open_orders AS
  SELECT o.id, c.full_name, c.email, o.placed_at, o.total
  FROM orders o JOIN customers c ON c.id = o.customer_id
  WHERE o.status IN ('open', 'paid');
ALTER TABLE orders ADD COLUMN is_test BOOLEAN NOT NULL DEFAULT 0;
