-- name: create
CREATE TABLE search_name (
  id bigint PRIMARY KEY,
  datastore_id uuid NOT NULL,
  name text NOT NULL,
  words text COLLATE "C" NOT NULL,
  size smallint NOT NULL
);
CREATE TABLE search_word (
  datastore_id uuid NOT NULL,
  word text COLLATE "C" NOT NULL,
  name_id bigint NOT NULL
);
CREATE INDEX search_word_by_word ON search_word (datastore_id, word) INCLUDE (name_id);
CREATE TABLE search_document (
  asset_id uuid NOT NULL,
  name_id bigint NOT NULL,
  relation_name_id bigint NOT NULL,
  schema_name_id bigint NOT NULL,
  alias_of bigint,
  kind smallint NOT NULL,
  state smallint NOT NULL,
  comment tsvector
);
CREATE INDEX search_document_by_asset ON search_document (asset_id);
CREATE INDEX search_document_by_name ON search_document (name_id);
CREATE INDEX search_document_schemas ON search_document (name_id) WHERE kind = 1;
CREATE INDEX search_document_former ON search_document (name_id) WHERE alias_of IS NOT NULL;
CREATE INDEX search_document_by_comment ON search_document USING gin (comment) WHERE comment IS NOT NULL;
CREATE TABLE search_written (
  asset_id uuid PRIMARY KEY,
  datastore_id uuid NOT NULL,
  text tsvector NOT NULL
);
CREATE INDEX search_written_by_text ON search_written USING gin (text);

-- name: drop
DROP TABLE search_name, search_word, search_document, search_written

-- name: known_names
SELECT id FROM search_name WHERE id = ANY(%s::bigint[])

-- name: copy_names
COPY search_name (id, datastore_id, name, words, size) FROM STDIN (FORMAT binary)

-- name: copy_words
COPY search_word (datastore_id, word, name_id) FROM STDIN (FORMAT binary)

-- name: copy_documents
COPY search_document (asset_id, name_id, relation_name_id, schema_name_id, alias_of, kind, state, comment) FROM STDIN (FORMAT binary)

-- name: erase
WITH gone AS (DELETE FROM search_document WHERE asset_id = ANY(%s) RETURNING name_id)
SELECT DISTINCT name_id FROM gone

-- name: sweep
WITH gone AS (
  DELETE FROM search_name n WHERE n.id = ANY(%s::bigint[])
    AND NOT EXISTS (SELECT 1 FROM search_document d WHERE d.name_id = n.id)
  RETURNING n.id, n.datastore_id, n.words
)
DELETE FROM search_word w USING gone
WHERE w.datastore_id = gone.datastore_id AND w.name_id = gone.id AND w.word = ANY(string_to_array(gone.words, ' '))

-- name: write_text
INSERT INTO search_written (asset_id, datastore_id, text) VALUES (%s, %s, %s::tsvector)
ON CONFLICT (asset_id) DO UPDATE SET text = excluded.text

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
SELECT bit, low, high, typo, phrase
FROM json_to_recordset(%(wanted)s::json) AS wanted(bit int, low text, high text, typo int, phrase text)

-- name: in_datastores
= ANY(%(datastores)s::uuid[])

-- name: schemas
SELECT unnest(%(schemas)s::bigint[])

-- name: in_schemas
= ANY(%(schemas)s::bigint[])

-- name: in_chosen_schemas
= ANY(%(chosen_schemas)s::bigint[])

-- name: settle
SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true)

-- name: texts
(SELECT d.asset_id, d.kind, d.schema_name_id, d.relation_name_id, d.name_id, d.state, {bit} AS bit
 FROM search_document d WHERE d.comment @@ %(text{number})s::tsquery LIMIT 20000)
UNION ALL
SELECT d.asset_id, d.kind, d.schema_name_id, d.relation_name_id, d.name_id, d.state, {bit}
FROM search_written t
JOIN search_document d ON d.asset_id = t.asset_id AND d.alias_of IS NULL
WHERE t.text @@ %(text{number})s::tsquery AND t.datastore_id = ANY(%(datastores)s::uuid[])

-- name: no_id
NULL::uuid

-- name: any_named
= ANY (ARRAY(SELECT name_id FROM named))
