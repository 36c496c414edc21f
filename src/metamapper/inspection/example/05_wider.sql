-- Prices in other currencies need more room, and a payment may come before its order.
CREATE TABLE payments_next (
  id INTEGER PRIMARY KEY,
  purchase_id INTEGER REFERENCES orders (id),
  method VARCHAR(20) NOT NULL DEFAULT 'card',
  amount DECIMAL(12,2) NOT NULL,
  currency CHAR(3) NOT NULL DEFAULT 'EUR',
  gateway_fee DECIMAL(8,4) NOT NULL DEFAULT 0,
  paid_at TIMESTAMP
);
INSERT INTO payments_next (id, purchase_id, method, amount, gateway_fee, paid_at)
  SELECT id, purchase_id, method, amount, gateway_fee, paid_at FROM payments;
DROP TABLE payments;
ALTER TABLE payments_next RENAME TO payments;
CREATE INDEX ix_payments_purchase ON payments (purchase_id);
