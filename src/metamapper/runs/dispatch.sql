-- Whom to wake next, fairest first. {host} is the vendor's way to a key of datastores_datastore.public_settings.
WITH busy AS (
    SELECT d.workspace_id AS workspace, {host} AS host, r.state = 'queued' AS sent
    FROM runs_run r
    JOIN datastores_datastore d ON d.id = r.datastore_id
    WHERE r.state = 'running' OR r.state = 'queued' AND r.dispatched_at > %(stale)s AND r.dispatched_at <= %(now)s
),
hosts AS (
    SELECT host, count(*) AS sessions FROM busy WHERE host IS NOT NULL GROUP BY host
),
workspaces AS (
    SELECT workspace, count(*) AS messages FROM busy WHERE sent GROUP BY workspace
),
ready AS (
    SELECT r.id, r.priority, r.created_at, d.workspace_id AS workspace, {host} AS host
    FROM runs_run r
    JOIN datastores_datastore d ON d.id = r.datastore_id
    WHERE r.state = 'queued' AND r.cancel_requested_at IS NULL
      AND (r.available_at <= %(now)s OR r.available_at > %(horizon)s)
      AND (r.dispatched_at IS NULL OR r.dispatched_at <= %(stale)s OR r.dispatched_at > %(now)s)
      AND NOT EXISTS (SELECT 1 FROM runs_run b WHERE b.datastore_id = r.datastore_id AND b.state = 'running')
),
-- Most hosts have room for all who ask: only the others are put in order.
crowded AS (
    SELECT r.host, %(sessions)s - coalesce(h.sessions, 0) AS room
    FROM ready r
    LEFT JOIN hosts h ON h.host = r.host
    WHERE r.host IS NOT NULL
    GROUP BY r.host, h.sessions
    HAVING count(*) > %(sessions)s - coalesce(h.sessions, 0)
),
held_back AS (
    SELECT id
    FROM (
        SELECT r.id, c.room, row_number() OVER (PARTITION BY r.host ORDER BY r.priority DESC, r.created_at, r.id) AS place
        FROM ready r
        JOIN crowded c ON c.host = r.host
    ) AS at_host
    WHERE place > room
),
turns AS (
    SELECT r.id, r.workspace, r.priority, r.created_at,
           row_number() OVER (PARTITION BY r.workspace ORDER BY r.priority DESC, r.created_at, r.id) AS place
    FROM ready r
    WHERE NOT EXISTS (SELECT 1 FROM held_back b WHERE b.id = r.id)
)
SELECT t.id
FROM turns t
LEFT JOIN workspaces w ON w.workspace = t.workspace
-- The first condition follows from the second, and spares the metastore from numbering the rest of a long queue.
WHERE t.place <= %(share)s AND t.place + coalesce(w.messages, 0) <= %(share)s
ORDER BY t.place + coalesce(w.messages, 0), t.priority DESC, t.created_at, t.id
LIMIT %(room)s
