-- The shop opens: who buys, what is sold, what was bought.
CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  mail VARCHAR(120) NOT NULL UNIQUE,
  full_name TEXT NOT NULL,
  phone VARCHAR(32),
  country CHAR(2) NOT NULL DEFAULT 'DE',
  newsletter BOOLEAN NOT NULL DEFAULT 0,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE products (
  id INTEGER PRIMARY KEY,
  sku VARCHAR(24) NOT NULL UNIQUE,
  title TEXT NOT NULL,
  price DECIMAL(8,2) NOT NULL,
  vat_rate DECIMAL(4,2) NOT NULL DEFAULT 19,
  weight_g INTEGER,
  active BOOLEAN NOT NULL DEFAULT 1
);
CREATE TABLE purchases (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  status VARCHAR(12) NOT NULL DEFAULT 'open',
  placed_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  shipping_note TEXT,
  total DECIMAL(10,2) NOT NULL DEFAULT 0
);
CREATE INDEX ix_purchases_customer ON purchases (customer_id);
CREATE TABLE purchase_lines (
  purchase_id INTEGER NOT NULL REFERENCES purchases (id) ON DELETE CASCADE,
  line INTEGER NOT NULL,
  product_id INTEGER NOT NULL REFERENCES products (id),
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  unit_price DECIMAL(8,2) NOT NULL,
  PRIMARY KEY (purchase_id, line)
);
CREATE TABLE gift_cards (
  code VARCHAR(16) PRIMARY KEY,
  balance DECIMAL(8,2) NOT NULL,
  issued_to INTEGER REFERENCES customers (id),
  expires_on DATE
);
CREATE TABLE legacy_import (
  row_no INTEGER,
  payload TEXT,
  imported_at TIMESTAMP
);
CREATE VIEW v_open_purchases AS
  SELECT p.id, c.full_name, p.placed_at, p.total
  FROM purchases p JOIN customers c ON c.id = p.customer_id
  WHERE p.status = 'open';
