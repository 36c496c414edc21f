-- Card payments arrive, and parcels are followed.
CREATE TABLE payments (
  id INTEGER PRIMARY KEY,
  purchase_id INTEGER NOT NULL REFERENCES purchases (id),
  method VARCHAR(12) NOT NULL,
  amount DECIMAL(8,2) NOT NULL,
  gateway_fee DECIMAL(8,4) NOT NULL DEFAULT 0,
  paid_at TIMESTAMP
);
CREATE INDEX ix_payments_purchase ON payments (purchase_id);
CREATE TABLE shipments (
  id INTEGER PRIMARY KEY,
  purchase_id INTEGER NOT NULL REFERENCES purchases (id),
  carrier VARCHAR(20) NOT NULL,
  tracking_code VARCHAR(40),
  shipped_at TIMESTAMP,
  delivered_at TIMESTAMP
);
ALTER TABLE products ADD COLUMN brand TEXT;
