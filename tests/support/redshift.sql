-- What Redshift's catalog has and PostgreSQL's has not, over PostgreSQL's own. The proxy writes "redshift." where a
-- statement says "pg_catalog." of one of these. Views show the columns of PostgreSQL 8.0 and Redshift's, no later ones:
-- a statement that uses what a leader node does not have fails here as well.
CREATE SCHEMA redshift;
GRANT USAGE ON SCHEMA redshift TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA redshift GRANT SELECT ON TABLES TO PUBLIC;

-- What tests fill in.
CREATE TABLE redshift.distribution (relation regclass PRIMARY KEY, style int NOT NULL, dist_key text, sort_keys text[], interleaved bool DEFAULT false);
CREATE TABLE redshift.encodings (relation regclass, attribute text, code int);
CREATE TABLE redshift.late_binding (relation regclass PRIMARY KEY, told bool DEFAULT true);
CREATE TABLE redshift.column_texts (relation regclass, attribute text, default_text text);
CREATE TABLE redshift.table_info (relation regclass PRIMARY KEY, tbl_rows bigint, size bigint);
CREATE TABLE redshift.external_schemas (schemaname text PRIMARY KEY, databasename text, broken text);
CREATE TABLE redshift.external_tables (schemaname text, tablename text, tabletype text DEFAULT 'TABLE', location text,
  input_format text, output_format text, serialization_lib text, serde_parameters text, compressed int, parameters text);
CREATE TABLE redshift.external_columns (schemaname text, tablename text, columnname text, external_type text, columnnum int,
  part_key int DEFAULT 0, is_nullable text DEFAULT 'true');
CREATE TABLE redshift.faults (late_binding text);
INSERT INTO redshift.faults VALUES (NULL);

CREATE FUNCTION redshift.failing(said text) RETURNS int LANGUAGE plpgsql AS
$$ BEGIN IF said IS NOT NULL THEN RAISE EXCEPTION '%', said USING ERRCODE = 'XX000'; END IF; RETURN 1; END $$;

CREATE FUNCTION redshift.version() RETURNS text LANGUAGE sql AS
$$ SELECT 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.99999'::text $$;

CREATE FUNCTION redshift.format_encoding(int) RETURNS character varying LANGUAGE sql AS
$$ SELECT (ARRAY['none', 'bytedict', 'delta', 'lzo', 'az64', 'zstd'])[$1 + 1]::character varying $$;

-- Bytes are VARBYTE there.
CREATE FUNCTION redshift.format_type(oid, int) RETURNS text LANGUAGE sql AS
$$ SELECT CASE WHEN $1 = 'bytea'::regtype THEN 'binary varying(64000)' ELSE pg_catalog.format_type($1, $2) END $$;

CREATE VIEW redshift.pg_namespace AS
  SELECT oid, nspname, nspowner FROM pg_catalog.pg_namespace WHERE nspname <> 'redshift';

CREATE VIEW redshift.pg_class AS
  SELECT c.oid, c.relname, CASE WHEN c.relnamespace = 'redshift'::regnamespace THEN 11::oid ELSE c.relnamespace END AS relnamespace
       , (CASE c.relkind WHEN 'm' THEN 'v' ELSE c.relkind END)::"char" AS relkind, c.reltuples, c.relpages, c.relnatts
       , c.relowner, coalesce(d.style, 9)::smallint AS reldiststyle
    FROM pg_catalog.pg_class c
    LEFT JOIN redshift.distribution d ON d.relation = c.oid
   WHERE NOT (c.relnamespace = 11 AND EXISTS (SELECT 1 FROM pg_catalog.pg_class o
               WHERE o.relnamespace = 'redshift'::regnamespace AND o.relname = c.relname));

CREATE VIEW redshift.pg_attribute AS
  SELECT a.attrelid, a.attname, a.atttypid, a.attnum, a.atttypmod, a.attnotnull, a.atthasdef, a.attisdropped
       , a.attname = d.dist_key IS TRUE AS attisdistkey
       , (coalesce(array_position(d.sort_keys, a.attname::text), 0) * CASE WHEN d.interleaved AND array_position(d.sort_keys, a.attname::text) % 2 = 0 THEN -1 ELSE 1 END) AS attsortkeyord
       , coalesce(e.code, 0)::smallint AS attencodingtype
    FROM pg_catalog.pg_attribute a
    LEFT JOIN redshift.distribution d ON d.relation = a.attrelid
    LEFT JOIN redshift.encodings e ON e.relation = a.attrelid AND e.attribute = a.attname
   WHERE NOT EXISTS (SELECT 1 FROM redshift.late_binding l WHERE l.relation = a.attrelid);

CREATE VIEW redshift.pg_attrdef AS SELECT adrelid, adnum, adbin FROM pg_catalog.pg_attrdef;
CREATE VIEW redshift.pg_description AS SELECT objoid, classoid, objsubid, description FROM pg_catalog.pg_description;
CREATE VIEW redshift.pg_constraint AS
  SELECT oid, conname, connamespace, contype, conrelid, confrelid, conkey, confkey FROM pg_catalog.pg_constraint;
CREATE VIEW redshift.pg_user AS SELECT usename, usesysid, usesuper FROM pg_catalog.pg_user;

CREATE FUNCTION redshift.pg_get_expr(pg_node_tree, oid) RETURNS text LANGUAGE sql AS
$$ SELECT coalesce((SELECT t.default_text FROM redshift.column_texts t JOIN pg_catalog.pg_attrdef f ON f.adrelid = $2
                      JOIN pg_catalog.pg_attribute a ON a.attrelid = $2 AND a.attnum = f.adnum
                     WHERE t.relation = $2 AND t.attribute = a.attname AND f.adbin::text = $1::text), pg_catalog.pg_get_expr($1, $2)) $$;

CREATE FUNCTION redshift.pg_get_viewdef(oid) RETURNS text LANGUAGE sql AS
$$ SELECT CASE WHEN EXISTS (SELECT 1 FROM redshift.late_binding WHERE relation = $1)
            THEN 'create view ' || $1::regclass || ' as ' || rtrim(pg_catalog.pg_get_viewdef($1), ';') || ' with no schema binding;'
            WHEN (SELECT relkind FROM pg_catalog.pg_class WHERE oid = $1) = 'm'
            THEN 'CREATE MATERIALIZED VIEW ' || $1::regclass || ' AS ' || pg_catalog.pg_get_viewdef($1)
            ELSE pg_catalog.pg_get_viewdef($1) END $$;

CREATE FUNCTION redshift.pg_get_late_binding_view_cols() RETURNS SETOF record LANGUAGE sql AS
$$ SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)::varchar, a.attnum::int
     FROM redshift.late_binding l JOIN pg_catalog.pg_class c ON c.oid = l.relation
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE l.told AND redshift.failing((SELECT late_binding FROM redshift.faults)) = 1 $$;

CREATE VIEW redshift.svv_table_info AS
  SELECT current_database()::text AS database, relation::oid AS table_id, size, tbl_rows FROM redshift.table_info;

-- Another database's user sees only the external schemas that it may use.
CREATE VIEW redshift.svv_external_schemas AS
  SELECT n.oid AS esoid, 1 AS eskind, n.nspname AS schemaname, n.nspowner AS esowner, e.databasename
    FROM redshift.external_schemas e JOIN pg_catalog.pg_namespace n ON n.nspname = e.schemaname
   WHERE has_schema_privilege(n.oid, 'USAGE');

CREATE VIEW redshift.svv_external_tables AS
  SELECT t.* FROM redshift.external_tables t JOIN redshift.external_schemas s USING (schemaname)
   WHERE redshift.failing(s.broken) = 1;
CREATE VIEW redshift.svv_external_columns AS
  SELECT x.* FROM redshift.external_columns x JOIN redshift.external_schemas s USING (schemaname)
   WHERE redshift.failing(s.broken) = 1;
