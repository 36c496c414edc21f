-- Gift cards were missed.
CREATE TABLE gift_cards (
  code VARCHAR(16) PRIMARY KEY,
  balance DECIMAL(8,2) NOT NULL,
  issued_to INTEGER REFERENCES customers (id),
  expires_on DATE
);
CREATE TABLE returns (
  id INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES orders (id),
  reason TEXT,
  refunded DECIMAL(10,2),
  received_at TIMESTAMP
);
