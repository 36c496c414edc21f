-- What both metastores ask in the same words. {braces} are filled with a metastore's own blocks.
--
-- Each wanted term is one bit. A name carries three masks: the terms that are whole words of it (exact), that at least
-- begin a word (clean), or that a word is a typo away from (fuzzy). An asset is found if the masks of its own name, its
-- relation's and its schema's hold every required bit, its own at least one. `fit` is 0 where the whole name reads as
-- asked, 1 where it begins so. Tiers are those of ranking.Tier; state is 1 retired + 2 commented + 4 described.

-- name: schemas_of
SELECT DISTINCT n.id, n.datastore_id, n.name FROM search_name n
JOIN search_document d ON d.name_id = n.id AND d.kind = 1 AND d.alias_of IS NULL
WHERE n.datastore_id {in_datastores}

-- name: vocabulary
SELECT DISTINCT word FROM search_word
WHERE datastore_id {in_datastores} AND word >= %(low)s AND word < %(high)s

-- name: no_texts
SELECT asset_id, kind, schema_name_id, relation_name_id, name_id, state, 0 AS bit FROM search_document WHERE 1 = 0

-- name: find
WITH wanted AS MATERIALIZED ({wanted}),
graded AS (
  SELECT w.name_id, x.bit, max(CASE WHEN x.typo = 1 THEN 0 WHEN w.word = x.low THEN 2 ELSE 1 END) AS grade
  FROM wanted x
  JOIN search_word w ON w.datastore_id {in_datastores} AND w.word >= x.low AND w.word < x.high
  WHERE x.phrase IS NULL OR EXISTS (
    SELECT 1 FROM search_name n WHERE n.id = w.name_id AND ' ' || n.words || ' ' LIKE '%% ' || x.phrase || ' %%'
  )
  GROUP BY w.name_id, x.bit
),
named AS MATERIALIZED (
  SELECT g.name_id, g.exact, g.clean, g.fuzzy, n.size,
    CASE WHEN n.words = %(whole)s THEN 0 WHEN substr(n.words, 1, %(length)s) = %(whole)s THEN 1 ELSE 2 END AS fit
  FROM (
    SELECT name_id,
      CAST(sum(CASE WHEN grade = 2 THEN bit ELSE 0 END) AS integer) AS exact,
      CAST(sum(CASE WHEN grade >= 1 THEN bit ELSE 0 END) AS integer) AS clean,
      CAST(sum(bit) AS integer) AS fuzzy
    FROM graded GROUP BY name_id
  ) g
  JOIN search_name n ON n.id = g.name_id
),
visible (schema_name_id) AS MATERIALIZED ({schemas}),
texted AS MATERIALIZED (
  SELECT asset_id, kind, schema_name_id, relation_name_id, name_id, state, CAST(sum(DISTINCT bit) AS integer) AS bits
  FROM ({texts}) t GROUP BY asset_id, kind, schema_name_id, relation_name_id, name_id, state
),
by_name AS (
  SELECT d.asset_id, d.kind, d.schema_name_id, d.state, own.size,
    CASE
      WHEN own.fit < 2 THEN own.fit
      WHEN own.exact & %(required)s = %(required)s THEN 2
      WHEN own.clean & %(required)s = %(required)s THEN 3
      WHEN (own.clean | coalesce(relation.clean, 0) | coalesce(place.clean, 0)) & %(required)s = %(required)s THEN 4
      ELSE 5
    END AS tier
  FROM search_document d
  JOIN named own ON own.name_id = d.name_id
  LEFT JOIN named relation ON relation.name_id = d.relation_name_id
  LEFT JOIN named place ON place.name_id = d.schema_name_id
  WHERE d.name_id {any_named} AND d.alias_of IS NULL AND own.fuzzy & %(required)s <> 0
    AND (own.fuzzy | coalesce(relation.fuzzy, 0) | coalesce(place.fuzzy, 0)) & %(required)s = %(required)s
    AND (own.clean | coalesce(relation.clean, 0) | coalesce(place.clean, 0)) & %(excluded)s = 0
),
by_former_name AS (
  SELECT d.asset_id, d.kind, d.schema_name_id, d.state, min(own.size) AS size,
    min(CASE WHEN own.fit = 0 THEN 2 ELSE 6 END) AS tier
  FROM search_document d
  JOIN named own ON own.name_id = d.name_id
  LEFT JOIN named today ON today.name_id = d.alias_of
  LEFT JOIN named relation ON relation.name_id = d.relation_name_id
  LEFT JOIN named place ON place.name_id = d.schema_name_id
  WHERE d.name_id {any_named} AND d.alias_of IS NOT NULL AND own.clean & %(required)s <> 0
    AND (own.clean | coalesce(relation.clean, 0) | coalesce(place.clean, 0)) & %(required)s = %(required)s
    AND (own.clean | coalesce(relation.clean, 0) | coalesce(place.clean, 0) | coalesce(today.clean, 0))
      & %(excluded)s = 0
    AND NOT (
      coalesce(today.fuzzy, 0) & %(required)s <> 0
      AND (coalesce(today.fuzzy, 0) | coalesce(relation.fuzzy, 0) | coalesce(place.fuzzy, 0)) & %(required)s
        = %(required)s
    )
  GROUP BY d.asset_id, d.kind, d.schema_name_id, d.state
),
by_text AS (
  SELECT t.asset_id, t.kind, t.schema_name_id, t.state, coalesce(own.size, 15) AS size, 7 AS tier
  FROM texted t
  JOIN visible v ON v.schema_name_id = t.schema_name_id
  LEFT JOIN named own ON own.name_id = t.name_id
  LEFT JOIN named relation ON relation.name_id = t.relation_name_id
  LEFT JOIN named place ON place.name_id = t.schema_name_id
  WHERE (t.bits | coalesce(own.clean, 0) | coalesce(relation.clean, 0) | coalesce(place.clean, 0)) & %(required)s
      = %(required)s
    AND (coalesce(own.clean, 0) | coalesce(relation.clean, 0) | coalesce(place.clean, 0)) & %(excluded)s = 0
    AND NOT (
      coalesce(own.fuzzy, 0) & %(required)s <> 0
      AND (coalesce(own.fuzzy, 0) | coalesce(relation.fuzzy, 0) | coalesce(place.fuzzy, 0)) & %(required)s
        = %(required)s
    )
    AND NOT EXISTS (SELECT 1 FROM by_former_name f WHERE f.asset_id = t.asset_id)
),
hits AS MATERIALIZED (
  SELECT h.asset_id, h.kind, h.schema_name_id,
    h.state + CASE WHEN w.asset_id IS NULL THEN 0 ELSE 4 END AS state,
    ((h.tier * 2 + (h.state & 1)) * 16 + h.size) * 8 + h.kind AS score
  FROM (SELECT * FROM by_name UNION ALL SELECT * FROM by_former_name UNION ALL SELECT * FROM by_text) h
  LEFT JOIN search_written w ON w.asset_id = h.asset_id
)

-- name: browse
WITH wanted AS MATERIALIZED ({wanted}),
named AS MATERIALIZED (
  SELECT DISTINCT w.name_id FROM wanted x
  JOIN search_word w ON w.datastore_id {in_datastores} AND w.word >= x.low AND w.word < x.high
  WHERE x.phrase IS NULL OR EXISTS (
    SELECT 1 FROM search_name n WHERE n.id = w.name_id AND ' ' || n.words || ' ' LIKE '%% ' || x.phrase || ' %%'
  )
),
hits AS NOT MATERIALIZED (
  SELECT d.asset_id, d.kind, d.schema_name_id,
    d.state + CASE WHEN d.asset_id IN (SELECT asset_id FROM search_written) THEN 4 ELSE 0 END AS state,
    ((8 * 2 + (d.state & 1)) * 16) * 8 + d.kind AS score
  FROM search_document d
  WHERE d.alias_of IS NULL AND d.schema_name_id {in_schemas} {left_out}
)

-- name: left_out
AND d.name_id NOT IN (SELECT name_id FROM named)
AND d.relation_name_id NOT IN (SELECT name_id FROM named)
AND d.schema_name_id NOT IN (SELECT name_id FROM named)

-- name: page
SELECT 1 AS part, asset_id, score, kind, schema_name_id, state, 0 AS amount FROM hits
WHERE (score > %(after_score)s OR (score = %(after_score)s AND asset_id > %(after_id)s)) {conditions}
ORDER BY score, asset_id LIMIT %(limit)s

-- name: cube
SELECT 0 AS part, {no_id} AS asset_id, 0 AS score, kind, schema_name_id, state, count(*) AS amount
FROM hits GROUP BY kind, schema_name_id, state
UNION ALL
SELECT * FROM ({page}) page
