-- name: claim
UPDATE runs_run
SET state = 'running', attempt = attempt + 1, fence = %(fence)s, lease_owner = %(owner)s, lease_expires_at = %(expires)s,
    heartbeat_at = %(now)s, deadline_at = %(deadline)s, started_at = coalesce(started_at, %(now)s), progress = '{}'
WHERE id = %(run)s AND state = 'queued' AND cancel_requested_at IS NULL
  AND (available_at <= %(now)s OR available_at > %(horizon)s)
  AND NOT EXISTS (SELECT 1 FROM runs_run b WHERE b.datastore_id = runs_run.datastore_id AND b.state = 'running')
RETURNING datastore_id, attempt;

-- name: append_attempt
INSERT INTO runs_attempt (id, run_id, number, fence, owner, started_at, outcome_code)
VALUES (%(id)s, %(run)s, %(number)s, %(fence)s, %(owner)s, %(now)s, '');

-- name: close_attempt
UPDATE runs_attempt SET ended_at = %(now)s, outcome_code = %(code)s WHERE fence = %(fence)s AND ended_at IS NULL;

-- name: heartbeat
UPDATE runs_run SET heartbeat_at = %(now)s, lease_expires_at = %(expires)s
WHERE id = %(run)s AND fence = %(fence)s AND state = 'running' AND cancel_requested_at IS NULL AND deadline_at > %(now)s;

-- name: end
UPDATE runs_run
SET state = %(state)s, finished_at = %(now)s, lease_owner = NULL, lease_expires_at = NULL,
    fence = coalesce(%(next_fence)s, fence), lost_count = lost_count + %(lost)s,
    outcome_code = coalesce(%(outcome_code)s, outcome_code), outcome = coalesce(%(outcome)s, outcome),
    scopes = coalesce(%(scopes)s, scopes), counts = coalesce(%(counts)s, counts),
    statements = coalesce(%(statements)s, statements)
WHERE id = %(run)s AND fence = %(fence)s AND state = 'running';

-- name: requeue
UPDATE runs_run
SET state = 'queued', available_at = %(available)s, dispatched_at = NULL, lease_owner = NULL, lease_expires_at = NULL,
    fence = %(next_fence)s, lost_count = lost_count + %(lost)s,
    outcome_code = coalesce(%(outcome_code)s, outcome_code), outcome = coalesce(%(outcome)s, outcome),
    scopes = coalesce(%(scopes)s, scopes), counts = coalesce(%(counts)s, counts),
    statements = coalesce(%(statements)s, statements)
WHERE id = %(run)s AND fence = %(fence)s AND state = 'running';

-- name: guard
SELECT id FROM runs_run WHERE id = %(run)s AND fence = %(fence)s AND state = 'running' {for_key_share};

-- name: lock_schedule
SELECT datastore_id, consecutive_failures <> 0 OR breaker_until IS NOT NULL FROM runs_schedule
WHERE datastore_id = %(datastore)s {for_update};

-- name: lock_schedule_if_free
SELECT datastore_id FROM runs_schedule WHERE datastore_id = %(datastore)s {for_update_if_free};

-- name: waiting
SELECT id FROM runs_run WHERE datastore_id = %(datastore)s AND state = 'queued' AND available_at <= %(now)s;

-- name: streak_over
UPDATE runs_schedule SET consecutive_failures = 0, breaker_until = NULL WHERE datastore_id = %(datastore)s;
