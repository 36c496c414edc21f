-- Whom to wake next, fairest first. {host} is the vendor's way to a key of datastores_datastore.public_settings.
WITH open_runs AS (
    SELECT r.id, r.datastore_id, r.state, r.priority, r.created_at, d.workspace_id AS workspace, {host} AS host,
           r.state = 'queued' AND r.dispatched_at > %(stale)s AND r.dispatched_at <= %(now)s AS sent,
           r.state = 'queued' AND r.cancel_requested_at IS NULL
               AND (r.available_at <= %(now)s OR r.available_at > %(horizon)s) AS available
    FROM runs_run r
    JOIN datastores_datastore d ON d.id = r.datastore_id
    WHERE r.state IN ('queued', 'running')
),
hosts AS (
    SELECT host, count(*) AS sessions FROM open_runs WHERE (state = 'running' OR sent) AND host IS NOT NULL GROUP BY host
),
workspaces AS (
    SELECT workspace, count(*) AS messages FROM open_runs WHERE sent GROUP BY workspace
),
ready AS (
    SELECT o.*, row_number() OVER (PARTITION BY o.host ORDER BY o.priority DESC, o.created_at, o.id) AS at_host
    FROM open_runs o
    WHERE o.available AND o.sent IS NOT TRUE
      AND NOT EXISTS (SELECT 1 FROM runs_run b WHERE b.datastore_id = o.datastore_id AND b.state = 'running')
),
turns AS (
    SELECT r.id, r.priority, r.created_at,
           coalesce(w.messages, 0)
               + row_number() OVER (PARTITION BY r.workspace ORDER BY r.priority DESC, r.created_at, r.id) AS turn
    FROM ready r
    LEFT JOIN hosts h ON h.host = r.host
    LEFT JOIN workspaces w ON w.workspace = r.workspace
    WHERE r.host IS NULL OR r.at_host + coalesce(h.sessions, 0) <= %(sessions)s
)
SELECT id FROM turns WHERE turn <= %(share)s ORDER BY turn, priority DESC, created_at, id LIMIT %(room)s
