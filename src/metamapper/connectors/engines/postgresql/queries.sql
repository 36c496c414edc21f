-- Every statement a run sends to PostgreSQL. A line that ends in "since N" or "before N" is sent only to those servers.
-- search_path is emptied first, so that every name the server spells out is qualified, whoever reads.

-- name: end
ROLLBACK

-- name: begin
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY

-- Settings of the role or the database must not change how a definition is spelled.
-- name: prepare
SELECT set_config('search_path', '', true)
     , set_config('quote_all_identifiers', 'off', true)
     , set_config('DateStyle', 'ISO, YMD', true)
     , set_config('IntervalStyle', 'postgres', true)
     , set_config('TimeZone', 'UTC', true)
     , set_config('bytea_output', 'hex', true)
     , set_config('statement_timeout', %(statement_timeout)s, true)
     , set_config('lock_timeout', %(lock_timeout)s, true)
     , set_config('idle_in_transaction_session_timeout', %(idle_timeout)s, true)
     , set_config('max_parallel_workers_per_gather', '0', true)
     , set_config('jit', 'off', true)                                                       -- since 11
     , current_setting('server_version') AS version
     , current_setting('block_size')::int AS block_size
     , current_user::text AS role
     , current_database()::text AS database
     , (SELECT oid::bigint FROM pg_catalog.pg_database WHERE datname = current_database()) AS database_oid

-- name: scopes
SELECT n.oid::bigint AS oid
     , n.nspname AS name
     , CASE WHEN has_schema_privilege(n.oid, 'USAGE') IS NOT NULL THEN
         has_schema_privilege(n.oid, 'USAGE') OR pg_has_role(n.nspowner, 'USAGE') END AS usable
     , d.description AS comment
     , coalesce(r.relations, 0) AS relations
  FROM pg_catalog.pg_namespace n
  LEFT JOIN pg_catalog.pg_description d
    ON d.objoid = n.oid AND d.classoid = 'pg_catalog.pg_namespace'::regclass AND d.objsubid = 0
  LEFT JOIN (SELECT relnamespace, count(*) AS relations FROM pg_catalog.pg_class
              WHERE relkind IN ('r', 'p', 'v', 'm', 'f') GROUP BY relnamespace) r ON r.relnamespace = n.oid
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY n.nspname

-- Counts and sums of hashes, so that order does not matter. A row's xmin is new with every change of it, and freezing
-- keeps it; age() tells it as a number, counted back from a moment that is one for the whole transaction, and is quicker
-- than its text. Not for all: initdb's own rows, which may be among comments, have no age.
-- pg_class is hashed by what matters instead: TRUNCATE and REFRESH rewrite its rows and change no schema.
-- Definitions in scope spell names from everywhere: types, functions, schemas and the like count wherever they live,
-- relations outside the scope where something in it depends on them.
-- "IN (…) IS TRUE" keeps a plain scan with a hash beside it: the planner takes the CTE for small, and would look up
-- every relation in an index.
-- name: probe
WITH classes AS                                                                             -- before 12
WITH classes AS MATERIALIZED                                                                -- since 12
  (SELECT oid, relkind <> 'S' AS shown, relnamespace = ANY (%(schemas)s::bigint[]::oid[]) AS inside
     FROM pg_catalog.pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relpersistence <> 't' AND oid >= 16384)
   , visible AS                                                                             -- before 12
   , visible AS MATERIALIZED                                                                -- since 12
  (SELECT oid FROM classes WHERE shown AND inside)
   , outside AS                                                                             -- before 12
   , outside AS MATERIALIZED                                                                -- since 12
  (SELECT oid FROM classes WHERE NOT inside)
   , spelled AS                                                                             -- before 12
   , spelled AS MATERIALIZED                                                                -- since 12
  (SELECT d.refobjid AS oid FROM pg_catalog.pg_depend d
    WHERE EXISTS (SELECT FROM outside)  -- asked once: where everything is in scope, nothing below is read
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND (d.refobjid IN (SELECT oid FROM outside)) IS TRUE
      AND CASE d.classid
          WHEN 'pg_catalog.pg_class'::regclass THEN d.objid IN (SELECT oid FROM visible)
          WHEN 'pg_catalog.pg_rewrite'::regclass THEN d.objid IN
            (SELECT w.oid FROM pg_catalog.pg_rewrite w JOIN visible v ON v.oid = w.ev_class)
          WHEN 'pg_catalog.pg_attrdef'::regclass THEN d.objid IN
            (SELECT f.oid FROM pg_catalog.pg_attrdef f JOIN visible v ON v.oid = f.adrelid)
          WHEN 'pg_catalog.pg_constraint'::regclass THEN d.objid IN
            (SELECT oid FROM pg_catalog.pg_constraint WHERE connamespace = ANY (%(schemas)s::bigint[]::oid[]))
          END)
SELECT 'relation' AS part, count(*) AS n
     , concat_ws('/'
         , sum(hashtextextended(relname, oid::bigint # (relnamespace::bigint << 32) # ((          -- since 11
             ascii(relkind::text) * 8 + (relpersistence = 'u')::int * 4                         -- since 11
               + relrowsecurity::int * 2 + relispartition::int)::bigint << 48)))                -- since 11
         , sum(hashtextextended(reloptions::text, oid::bigint))                                 -- since 11
         , sum(hashtext(concat_ws('/', relname, oid, relnamespace, relkind, relpersistence      -- before 11
             , relrowsecurity, relispartition))::bigint)                                        -- before 11
         , sum(hashtext(reloptions::text || '/' || oid)::bigint)                                -- before 11
         ) AS hash
  FROM pg_catalog.pg_class
 WHERE relnamespace = ANY (%(schemas)s::bigint[]::oid[]) AND relpersistence <> 't'
    OR relkind = 'c' OR (oid IN (SELECT oid FROM spelled)) IS TRUE
UNION ALL
SELECT 'attribute', count(*)
     , sum(hashint8extended(                                                                -- since 11
         (a.attrelid::bigint << 32) + (age('3'::xid)::bigint - age(a.xmin) & 4294967295), a.attnum)) -- since 11
     , sum(hashtext(a.xmin::text || '/' || a.attrelid || '/' || a.attnum)::bigint)          -- before 11
         ::text
  FROM pg_catalog.pg_attribute a
 WHERE a.attnum > 0 AND (a.attrelid IN (SELECT oid FROM visible UNION ALL SELECT oid FROM spelled)) IS TRUE
UNION ALL
SELECT 'schema', count(*), sum(hashtext(nspname || '/' || oid)::bigint)::text
  FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_'
UNION ALL
SELECT part, count(*)
     , sum(hashint8extended(CASE part WHEN 'comment' THEN version::text::bigint             -- since 11
         ELSE age('3'::xid)::bigint - age(version) & 4294967295 END, id::bigint))           -- since 11
     , sum(hashtext(version::text || '/' || id)::bigint)                                    -- before 11
         ::text
  FROM (SELECT 'constraint' AS part, oid AS id, xmin AS version FROM pg_catalog.pg_constraint
         WHERE connamespace = ANY (%(schemas)s::bigint[]::oid[])
         UNION ALL
        SELECT 'index', indexrelid, xmin FROM pg_catalog.pg_index
         WHERE (indrelid IN (SELECT oid FROM visible)) IS TRUE
         UNION ALL
        SELECT 'default', oid, xmin FROM pg_catalog.pg_attrdef WHERE (adrelid IN (SELECT oid FROM visible)) IS TRUE
         UNION ALL
        SELECT 'view', oid, xmin FROM pg_catalog.pg_rewrite WHERE (ev_class IN (SELECT oid FROM visible)) IS TRUE
         UNION ALL
        SELECT 'parent', inhrelid, xmin FROM pg_catalog.pg_inherits WHERE (inhrelid IN (SELECT oid FROM visible)) IS TRUE
         UNION ALL
        SELECT 'comment', objoid, xmin FROM pg_catalog.pg_description
         WHERE objoid >= 16384 OR classoid = 'pg_catalog.pg_namespace'::regclass
         UNION ALL
        SELECT 'type', oid, xmin FROM pg_catalog.pg_type
         WHERE oid >= 16384 AND typtype IN ('b', 'd', 'e', 'r', 'm') AND typcategory <> 'A'
         UNION ALL
        SELECT 'enum value', oid, xmin FROM pg_catalog.pg_enum
         UNION ALL
        SELECT 'function', oid, xmin FROM pg_catalog.pg_proc WHERE oid >= 16384
         UNION ALL
        SELECT 'operator', oid, xmin FROM pg_catalog.pg_operator WHERE oid >= 16384
         UNION ALL
        SELECT 'operator class', oid, xmin FROM pg_catalog.pg_opclass WHERE oid >= 16384
         UNION ALL
        SELECT 'collation', oid, xmin FROM pg_catalog.pg_collation WHERE oid >= 16384
         UNION ALL
        SELECT 'server', oid, xmin FROM pg_catalog.pg_foreign_server) x
 GROUP BY part
 ORDER BY part

-- Everything of one relation is gathered by index lookups beside it: rows leave as they are made, and neither side holds
-- more than one relation. '???' stands where the server can no longer say, for the object was dropped in mid-read. In
-- the order of oids, so that a read which such a drop has ended can go on behind the last one that it saw.
-- name: relations
SELECT c.oid::bigint
     , c.nspname
     , c.relname
     , c.relkind::text
     , c.relispartition
     , c.reltuples::bigint
     , c.relpages::bigint
     , json_build_array(
         c.oid::bigint, c.nspname, c.relname, c.relkind, c.relispartition
       , CASE WHEN c.relkind IN ('v', 'm') THEN coalesce(pg_get_viewdef(c.oid), '???') END
       , (SELECT json_agg(json_build_array(d.objsubid, d.description))
            FROM (SELECT objsubid, description FROM pg_catalog.pg_description
                   WHERE objoid = c.oid AND classoid = 'pg_catalog.pg_class'::regclass ORDER BY objsubid) d)
       , (SELECT json_agg(json_build_array(d.adnum, coalesce(pg_get_expr(d.adbin, d.adrelid), '???')))
            FROM (SELECT adnum, adbin, adrelid FROM pg_catalog.pg_attrdef WHERE adrelid = c.oid ORDER BY adnum) d)
       , (SELECT json_agg(json_build_array(
                   a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity
                 , a.attgenerated                                                           -- since 12
                 , ''                                                                       -- before 12
                 , CASE WHEN a.atttypid >= 10000 THEN
                     (SELECT json_build_array(t.typtype, t.typcategory
                           , CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END
                           , (SELECT json_agg(e.enumlabel) FROM (SELECT enumlabel FROM pg_catalog.pg_enum
                               WHERE enumtypid = t.oid ORDER BY enumsortorder) e))
                        FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid) END
                 , CASE WHEN a.attcollation NOT IN (0, 100) THEN
                     (SELECT l.collname FROM pg_catalog.pg_collation l WHERE l.oid = a.attcollation) END))
            FROM (SELECT * FROM pg_catalog.pg_attribute
                   WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) a)
       , CASE WHEN c.relkind IN ('r', 'p', 'm') THEN
         (SELECT json_agg(json_build_array(
                   i.indexrelid::bigint, ic.relname, m.amname, i.indisunique, i.indisprimary, i.indisvalid
                 , i.indkey::text, i.indoption::text
                 , i.indnkeyatts                                                            -- since 11
                 , i.indnatts                                                               -- before 11
                 , ic.reloptions
                 , (SELECT d.description FROM pg_catalog.pg_description d WHERE d.objoid = i.indexrelid
                       AND d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0)
                 , CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL OR ic.reloptions IS NOT NULL
                          OR i.indnullsnotdistinct                                          -- since 15
                          OR NOT (i.indclass::oid[] <@ (SELECT array_agg(o.oid) FROM pg_catalog.pg_opclass o
                                                         WHERE o.opcdefault))
                          OR NOT (i.indcollation::oid[] <@ '{0,100}'::oid[]) THEN
                     json_build_array(
                       coalesce(pg_get_indexdef(i.indexrelid), '???')
                     , format('CREATE %%sINDEX %%I ON %%s%%I.%%I USING ', CASE WHEN i.indisunique THEN 'UNIQUE ' END
                            , ic.relname, CASE WHEN ic.relkind = 'I' THEN 'ONLY ' END, c.nspname, c.relname)
                     , CASE WHEN i.indexprs IS NOT NULL THEN
                         array(SELECT coalesce(pg_get_indexdef(i.indexrelid, k, true), '???')
                                 FROM generate_series(1, i.indnatts) k) END
                     , pg_get_expr(i.indpred, i.indrelid)) END))
            FROM (SELECT * FROM pg_catalog.pg_index WHERE indrelid = c.oid ORDER BY indexrelid) i
            JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
            JOIN pg_catalog.pg_am m ON m.oid = ic.relam) END
       , CASE WHEN c.relkind IN ('r', 'p', 'f') THEN
         (SELECT json_agg(json_build_array(
                   k.oid::bigint, k.conname, k.contype, k.conkey
                 , CASE WHEN k.contype = 'f' THEN
                     (SELECT json_build_array(fn.nspname, fc.relname
                           , array(SELECT fa.attname FROM unnest(k.confkey) WITH ORDINALITY u (num, place)
                                     JOIN pg_catalog.pg_attribute fa
                                       ON fa.attrelid = k.confrelid AND fa.attnum = u.num ORDER BY u.place)
                           , k.confupdtype, k.confdeltype)
                        FROM pg_catalog.pg_class fc JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
                       WHERE fc.oid = k.confrelid) END
                 , CASE WHEN k.contype NOT IN ('p', 'u', 'f') OR k.condeferrable OR NOT k.convalidated
                          OR k.contype = 'f' AND k.confmatchtype <> 's'
                          OR k.confdelsetcols IS NOT NULL                                   -- since 15
                          OR k.conperiod OR NOT k.conenforced                               -- since 18
                          OR k.contype <> 'f' AND (SELECT
                               x.indnatts > x.indnkeyatts OR                                -- since 11
                               x.indnullsnotdistinct OR                                     -- since 15
                               NOT x.indisvalid OR xc.reloptions IS NOT NULL
                               FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class xc ON xc.oid = x.indexrelid
                              WHERE x.indexrelid = k.conindid) THEN
                     coalesce(pg_get_constraintdef(k.oid), '???') END
                 , (SELECT d.description FROM pg_catalog.pg_description d WHERE d.objoid = k.oid
                       AND d.classoid = 'pg_catalog.pg_constraint'::regclass AND d.objsubid = 0)))
            FROM (SELECT * FROM pg_catalog.pg_constraint
                   WHERE conrelid = c.oid AND contype IN ('p', 'u', 'f', 'c', 'x') ORDER BY oid) k) END
       , (SELECT json_agg(json_build_array(pn.nspname, pc.relname))
            FROM (SELECT inhparent FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid ORDER BY inhseqno) h
            JOIN pg_catalog.pg_class pc ON pc.oid = h.inhparent
            JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace)
       , CASE WHEN c.relispartition THEN coalesce(pg_get_expr(c.relpartbound, c.oid), '???') END
       , CASE WHEN c.relkind = 'p' THEN coalesce(pg_get_partkeydef(c.oid), '???') END
       , CASE WHEN c.relkind = 'f' THEN
           (SELECT s.srvname FROM pg_catalog.pg_foreign_table t
              JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver WHERE t.ftrelid = c.oid) END
       , c.relpersistence, c.relrowsecurity, c.reloptions) AS payload
  FROM (SELECT p.oid, s.nspname, p.relname, p.relkind, p.relispartition, p.reltuples, p.relpages, p.relpartbound
             , p.relpersistence, p.relrowsecurity, p.reloptions
          FROM pg_catalog.pg_class p
          JOIN pg_catalog.pg_namespace s ON s.oid = p.relnamespace
         WHERE p.relkind IN ('r', 'p', 'v', 'm', 'f') AND p.relpersistence <> 't'
           AND p.relnamespace = ANY (%(schemas)s::bigint[]::oid[]) AND p.oid > %(after)s::bigint::oid
         ORDER BY p.oid
        OFFSET 0) c  -- a fence: what is costly is made after the sort, row by row

-- The connection test only.
-- name: catalog_rights
SELECT name, has_table_privilege('pg_catalog.' || name, 'SELECT') AS readable
  FROM unnest(%(names)s::text[]) AS name
 WHERE to_regclass('pg_catalog.' || name) IS NOT NULL

-- name: write_rights
SELECT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS superuser
     , EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                  AND has_schema_privilege(n.oid, 'USAGE')
                  AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                    OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'))) AS writes
     , (SELECT array_agg(n.nspname::text ORDER BY n.nspname) FROM pg_catalog.pg_namespace n
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')) AS creates
     , has_database_privilege(current_database(), 'CREATE') AS makes_schemas
