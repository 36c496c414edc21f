-- name: create
CREATE TABLE search_name (
  id integer PRIMARY KEY,
  datastore_id char(32) NOT NULL,
  name text NOT NULL,
  words text NOT NULL,
  size integer NOT NULL
);
CREATE TABLE search_word (
  datastore_id char(32) NOT NULL,
  word text NOT NULL,
  name_id integer NOT NULL,
  PRIMARY KEY (datastore_id, word, name_id)
) WITHOUT ROWID;
CREATE TABLE search_document (
  number integer PRIMARY KEY,
  asset_id char(32) NOT NULL,
  name_id integer NOT NULL,
  relation_name_id integer NOT NULL,
  schema_name_id integer NOT NULL,
  alias_of integer,
  kind integer NOT NULL,
  state integer NOT NULL
);
CREATE INDEX search_document_by_asset ON search_document (asset_id);
CREATE INDEX search_document_by_name ON search_document (name_id);
CREATE INDEX search_document_schemas ON search_document (name_id) WHERE kind = 1;
CREATE INDEX search_document_former ON search_document (name_id) WHERE alias_of IS NOT NULL;
CREATE VIRTUAL TABLE search_comment USING fts5 (words, tokenize = 'unicode61 remove_diacritics 0', prefix = '2 3');
CREATE TRIGGER search_document_gone AFTER DELETE ON search_document WHEN old.state & 2 BEGIN
  DELETE FROM search_comment WHERE rowid = old.number;
END;
CREATE TABLE search_written (
  number integer PRIMARY KEY,
  asset_id char(32) NOT NULL UNIQUE,
  datastore_id char(32) NOT NULL
);
CREATE VIRTUAL TABLE search_text USING fts5 (words, tokenize = 'unicode61 remove_diacritics 0', prefix = '2 3');
CREATE TRIGGER search_written_gone AFTER DELETE ON search_written BEGIN
  DELETE FROM search_text WHERE rowid = old.number;
END;

-- name: drop
DROP TRIGGER search_document_gone;
DROP TRIGGER search_written_gone;
DROP TABLE search_name;
DROP TABLE search_word;
DROP TABLE search_document;
DROP TABLE search_comment;
DROP TABLE search_written;
DROP TABLE search_text;

-- name: known_names
SELECT id FROM search_name WHERE id IN (SELECT value FROM json_each(%s))

-- name: insert_names
INSERT INTO search_name (id, datastore_id, name, words, size) VALUES (%s, %s, %s, %s, %s)

-- name: insert_words
INSERT INTO search_word (datastore_id, word, name_id) VALUES (%s, %s, %s)

-- name: last_document
SELECT coalesce(max(number), 0) FROM search_document

-- name: insert_documents
INSERT INTO search_document (number, asset_id, name_id, relation_name_id, schema_name_id, alias_of, kind, state)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)

-- name: insert_comments
INSERT INTO search_comment (rowid, words) VALUES (%s, %s)

-- name: erase
DELETE FROM search_document WHERE asset_id IN (SELECT value FROM json_each(%s)) RETURNING name_id

-- name: orphans
SELECT n.id, n.datastore_id, n.words FROM search_name n WHERE n.id IN (SELECT value FROM json_each(%s))
  AND NOT EXISTS (SELECT 1 FROM search_document d WHERE d.name_id = n.id)

-- name: erase_name
DELETE FROM search_name WHERE id = %s

-- name: erase_word
DELETE FROM search_word WHERE datastore_id = %s AND word = %s AND name_id = %s

-- name: write_text
INSERT INTO search_written (asset_id, datastore_id) VALUES (%s, %s) RETURNING number

-- name: write_words
INSERT INTO search_text (rowid, words) VALUES (%s, %s)

-- name: erase_text
DELETE FROM search_written WHERE asset_id = %s

-- name: forget_texts
DELETE FROM search_written WHERE datastore_id = %s

-- name: forget_documents
DELETE FROM search_document WHERE name_id IN (SELECT id FROM search_name WHERE datastore_id = %s)

-- name: forget_words
DELETE FROM search_word WHERE datastore_id = %s

-- name: forget_names
DELETE FROM search_name WHERE datastore_id = %s

-- name: wanted
SELECT
  json_extract(value, '$.bit') AS bit, json_extract(value, '$.low') AS low, json_extract(value, '$.high') AS high,
  json_extract(value, '$.typo') AS typo, json_extract(value, '$.phrase') AS phrase
FROM json_each(%(wanted)s)

-- name: in_datastores
IN (SELECT value FROM json_each(%(datastores)s))

-- name: schemas
SELECT value FROM json_each(%(schemas)s)

-- name: in_schemas
IN (SELECT value FROM json_each(%(schemas)s))

-- name: in_chosen_schemas
IN (SELECT value FROM json_each(%(chosen_schemas)s))

-- name: texts
SELECT d.asset_id, d.kind, d.schema_name_id, d.relation_name_id, d.name_id, d.state, {bit} AS bit
FROM (SELECT rowid AS number FROM search_comment WHERE search_comment MATCH %(text{number})s LIMIT 20000) f
JOIN search_document d ON d.number = f.number
UNION ALL
SELECT d.asset_id, d.kind, d.schema_name_id, d.relation_name_id, d.name_id, d.state, {bit}
FROM (SELECT rowid AS number FROM search_text WHERE search_text MATCH %(text{number})s) f
JOIN search_written t ON t.number = f.number
JOIN search_document d ON d.asset_id = t.asset_id AND d.alias_of IS NULL
WHERE t.datastore_id IN (SELECT value FROM json_each(%(datastores)s))

-- name: no_id
NULL

-- name: any_named
IN (SELECT name_id FROM named)
