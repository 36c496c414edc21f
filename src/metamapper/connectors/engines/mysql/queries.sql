-- Every statement a run sends to MySQL or MariaDB. A MySQL has versions like 50744, 80016 and 90700 here, a MariaDB like
-- 1006 and 1104: "since 50000" is every MySQL, "before 50000" every MariaDB.

-- name: version
SELECT VERSION() AS version

-- name: read_only
SET SESSION TRANSACTION READ ONLY

-- The account's or the server's own settings must not change how a definition is spelled. Rows are read slowly where the
-- worker stores what it read before: the server waits for that as long as for a statement. Zero is no limit.
-- name: prepare
SET SESSION sql_mode = ''
  , SESSION sql_quote_show_create = 1
  , SESSION max_execution_time = %(milliseconds)s                                           -- since 50000
  , SESSION max_statement_time = %(seconds)s                                                -- before 50000
  , SESSION lock_wait_timeout = %(lock_seconds)s
  , SESSION net_write_timeout = %(seconds)s
  , SESSION wait_timeout = %(idle_seconds)s
  , SESSION sort_buffer_size = %(sort_bytes)s                                               -- since 80000

-- name: facts
SELECT CURRENT_USER() AS account
     , CONNECTION_ID() AS number
     , DATABASE() AS chosen
     , @@lower_case_table_names AS folded
     , @@partial_revokes AS literal_patterns                                                -- since 80016
     , 0 AS literal_patterns                                                                -- before 80016

-- What an account sees of the catalog follows from its rights alone. Rights of roles that are active are among them.
-- name: grants
SHOW GRANTS

-- name: scopes
SELECT s.schema_name AS name
     , s.default_collation_name AS collation
     , s.schema_comment AS comment                                                          -- since 1005 before 50000
     , NULL AS comment                                                                      -- since 50000
  FROM information_schema.schemata s
 WHERE s.schema_name NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
 ORDER BY s.schema_name

-- name: expected
SELECT COUNT(*) AS relations
  FROM information_schema.tables
 WHERE table_schema IN %(schemas)s

-- A read is the union of the parts below, in this order.
-- name: in_order
ORDER BY schema_name, relation, part, label, place

-- A probe is this for each of the parts below. A sum does not mind the order, and is of 64 bits of each hash.
-- name: count_and_hash
SELECT MAX(part) AS part
     , COUNT(*) AS n
     , SUM(CAST(CONV(LEFT(SHA2(payload, 256), 16), 16, 10) AS UNSIGNED)) AS hash
  FROM part_of_a_relation AS facts

-- The parts of a relation: each row has the names of its relation as bytes, which no collation takes for one another, the
-- number of its part, what orders it within, and what it says. Row counts and sizes are estimates, and no part of that.
-- Not asked for: create_options, where storage engines keep their passwords.
-- name: part_table
SELECT CAST(table_schema AS BINARY) AS schema_name
     , CAST(table_name AS BINARY) AS relation
     , 0 AS part
     , CAST('' AS BINARY) AS label
     , 0 AS place
     , CAST(JSON_ARRAY(table_schema, table_name, table_type, engine, table_comment, table_collation) AS CHAR) AS payload
     , table_rows AS row_estimate
     , data_length + index_length AS size_bytes
  FROM information_schema.tables
 WHERE table_schema IN %(schemas)s AND table_type <> 'SEQUENCE'

-- name: part_column
SELECT CAST(table_schema AS BINARY) AS schema_name
     , CAST(table_name AS BINARY) AS relation
     , 1 AS part
     , CAST('' AS BINARY) AS label
     , ordinal_position AS place
     , CAST(JSON_ARRAY(column_name, ordinal_position, column_type, is_nullable, column_default, extra, column_comment
         , character_maximum_length, collation_name, generation_expression
         , srs_id                                                                           -- since 80003
         , NULL                                                                             -- before 80003
         ) AS CHAR) AS payload
     , NULL AS row_estimate
     , NULL AS size_bytes
  FROM information_schema.columns
 WHERE table_schema IN %(schemas)s

-- name: part_index
SELECT CAST(table_schema AS BINARY) AS schema_name
     , CAST(table_name AS BINARY) AS relation
     , 2 AS part
     , CAST(index_name AS BINARY) AS label
     , seq_in_index AS place
     , CAST(JSON_ARRAY(index_name, non_unique, index_type, column_name
         , expression                                                                       -- since 80013
         , NULL                                                                             -- before 80013
         , collation, sub_part, index_comment
         , is_visible                                                                       -- since 80000
         , 'YES'                                                                            -- since 50000 before 80000
         , IF(ignored = 'YES', 'NO', 'YES')                                                 -- since 1006 before 50000
         , 'YES'                                                                            -- before 1006
         ) AS CHAR) AS payload
     , NULL AS row_estimate
     , NULL AS size_bytes
  FROM information_schema.statistics
 WHERE table_schema IN %(schemas)s

-- name: part_key_column
SELECT CAST(table_schema AS BINARY) AS schema_name
     , CAST(table_name AS BINARY) AS relation
     , 3 AS part
     , CAST(constraint_name AS BINARY) AS label
     , ordinal_position AS place
     , CAST(JSON_ARRAY(constraint_name, column_name, referenced_table_schema, referenced_table_name
         , referenced_column_name) AS CHAR) AS payload
     , NULL AS row_estimate
     , NULL AS size_bytes
  FROM information_schema.key_column_usage
 WHERE table_schema IN %(schemas)s AND referenced_table_name IS NOT NULL

-- name: part_key_rule
SELECT CAST(constraint_schema AS BINARY) AS schema_name
     , CAST(table_name AS BINARY) AS relation
     , 4 AS part
     , CAST(constraint_name AS BINARY) AS label
     , 0 AS place
     , CAST(JSON_ARRAY(constraint_name, match_option, update_rule, delete_rule) AS CHAR) AS payload
     , NULL AS row_estimate
     , NULL AS size_bytes
  FROM information_schema.referential_constraints
 WHERE constraint_schema IN %(schemas)s

-- name: part_check
SELECT CAST(c.constraint_schema AS BINARY) AS schema_name
     , CAST(t.table_name AS BINARY) AS relation                                             -- since 80016
     , CAST(c.table_name AS BINARY) AS relation                                             -- before 50000
     , 5 AS part
     , CAST(c.constraint_name AS BINARY) AS label
     , 0 AS place
     , CAST(JSON_ARRAY(c.constraint_name, c.check_clause
         , t.enforced                                                                       -- since 80016
         , 'YES'                                                                            -- before 50000
         ) AS CHAR) AS payload
     , NULL AS row_estimate
     , NULL AS size_bytes
  FROM information_schema.check_constraints c
  JOIN information_schema.table_constraints t                                               -- since 80016
    ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name  -- since 80016
   AND t.constraint_type = 'CHECK'                                                          -- since 80016
 WHERE c.constraint_schema IN %(schemas)s

-- name: part_view
SELECT CAST(table_schema AS BINARY) AS schema_name
     , CAST(table_name AS BINARY) AS relation
     , 6 AS part
     , CAST('' AS BINARY) AS label
     , 0 AS place
     , CAST(JSON_ARRAY(view_definition, check_option, security_type) AS CHAR) AS payload
     , NULL AS row_estimate
     , NULL AS size_bytes
  FROM information_schema.views
 WHERE table_schema IN %(schemas)s

-- name: part_partition
SELECT CAST(table_schema AS BINARY) AS schema_name
     , CAST(table_name AS BINARY) AS relation
     , 7 AS part
     , CAST('' AS BINARY) AS label
     , 10000 * partition_ordinal_position + COALESCE(subpartition_ordinal_position, 0) AS place
     , CAST(JSON_ARRAY(partition_name, partition_method, partition_expression, partition_description
         , subpartition_name, subpartition_method, subpartition_expression) AS CHAR) AS payload
     , NULL AS row_estimate
     , NULL AS size_bytes
  FROM information_schema.partitions
 WHERE table_schema IN %(schemas)s AND partition_name IS NOT NULL

-- The id of InnoDB, where PROCESS is granted. Files have other names than tables where a name is more than ASCII letters,
-- digits and _: those have no id here.
-- name: part_id
SELECT CAST(SUBSTRING_INDEX(name, '/', 1) AS BINARY) AS schema_name
     , CAST(SUBSTRING_INDEX(name, '/', -1) AS BINARY) AS relation
     , 8 AS part
     , CAST('' AS BINARY) AS label
     , 0 AS place
     , CAST(JSON_ARRAY(table_id) AS CHAR) AS payload
     , NULL AS row_estimate
     , NULL AS size_bytes
  FROM information_schema.innodb_tables                                                     -- since 80000
  FROM information_schema.innodb_sys_tables                                                 -- before 80000
 WHERE SUBSTRING_INDEX(name, '/', 1) IN %(schemas)s AND name REGEXP '^[A-Za-z0-9_]+/[A-Za-z0-9_]+$'

-- The connection test only.
-- name: nothing
SELECT 1 AS something FROM part_of_a_relation AS facts LIMIT 0

-- name: hidden_queries
SELECT table_schema AS name, COUNT(*) AS views
  FROM information_schema.views
 WHERE table_schema IN %(schemas)s AND COALESCE(view_definition, '') = ''
 GROUP BY table_schema
 ORDER BY table_schema
