-- Every statement a run sends to SQLite. "since" and "before" speak of the y in version 3.y.
-- All are in the order of the schema table's rows, so that they can be read side by side.

-- name: prepare
PRAGMA query_only = 1

-- A file may come from anybody: no function that it names in a view or an index may have a side effect.
-- name: distrust
PRAGMA trusted_schema = 0

-- name: begin
BEGIN

-- name: probe
SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY rowid

-- name: count
SELECT count(*) FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'

-- name: objects
SELECT m.name, m.type, m.sql
     , t.type, t.wr, t.strict                                                               -- since 37
     , NULL, 0, 0                                                                           -- before 37
  FROM sqlite_master m
  LEFT JOIN pragma_table_list(m.name) t ON t.schema = 'main'                                -- since 37
 WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\'
 ORDER BY m.rowid

-- name: columns
SELECT m.name, x.cid, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
  FROM sqlite_master m JOIN pragma_table_xinfo(m.name, 'main') x
 WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\'
 ORDER BY m.rowid

-- A view over a table that is gone, or a virtual table whose module is not loaded, cannot be described.
-- name: view_columns
SELECT m.name, x.cid, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
  FROM sqlite_master m JOIN pragma_table_xinfo(m.name, 'main') x
 WHERE m.type = 'view' OR m.sql LIKE 'CREATE VIRTUAL%'
 ORDER BY m.rowid

-- name: views
SELECT name FROM sqlite_master WHERE type = 'view' OR sql LIKE 'CREATE VIRTUAL%' ORDER BY rowid

-- name: columns_of_view
SELECT ?1, x.cid, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden FROM pragma_table_xinfo(?1, 'main') x

-- name: indexes
SELECT m.name, l.name, l."unique", l.origin, x.cid, x.name, x."desc", x.coll
  FROM sqlite_master m
  JOIN pragma_index_list(m.name, 'main') l
  JOIN pragma_index_xinfo(l.name, 'main') x
 WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND x.key
 ORDER BY m.rowid

-- name: index_definitions
SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL

-- name: foreign_keys
SELECT m.name, f.id, f."from", f."table", f."to", f.on_update, f.on_delete
  FROM sqlite_master m JOIN pragma_foreign_key_list(m.name, 'main') f
 WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\'
 ORDER BY m.rowid

-- name: has_statistics
SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'

-- name: statistics
SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl
