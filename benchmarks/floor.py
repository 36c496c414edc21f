"""The floor: psycopg 3 reading the catalog in bulk into tuples, in one process, and nothing else.

``python -m benchmarks.floor URL`` prints seconds and the process's peak memory in MiB as JSON.
"""

import json
import resource
import sys
import time

import psycopg

USER = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
STATEMENTS = (
    f"""SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltuples, c.relpages, d.description
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {USER}""",
    f"""SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               pg_get_expr(e.adbin, e.adrelid), a.attidentity, a.attgenerated, d.description
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
        LEFT JOIN pg_description d ON d.objoid = a.attrelid AND d.objsubid = a.attnum AND d.classoid = 'pg_class'::regclass
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped AND {USER}""",
    f"""SELECT i.indexrelid, i.indrelid, x.relname, i.indisunique, i.indisprimary, i.indkey::text, pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace WHERE {USER}""",
    f"""SELECT k.oid, k.conrelid, k.conname, k.contype, k.conkey, k.confrelid, k.confkey, pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE k.conrelid <> 0 AND {USER}""",
    f"""SELECT c.oid, pg_get_viewdef(c.oid)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND {USER}""",
)


def read(url: str) -> list[list[tuple[object, ...]]]:
    with psycopg.connect(url) as connection:
        return [connection.execute(statement).fetchall() for statement in STATEMENTS]  # type: ignore[arg-type] # fixed


if __name__ == "__main__":
    began = time.perf_counter()
    kept = read(sys.argv[1])
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
