-- What must hold at every moment. Each block selects what breaks it; nothing may come back. Ids are made in the order of
-- time, and runs before the "first" one are not looked at.

-- name: at_most_one_running_each
SELECT datastore_id FROM runs_run WHERE state = 'running' GROUP BY datastore_id HAVING count(*) > 1;

-- name: at_most_one_queued_each
SELECT datastore_id FROM runs_run WHERE state = 'queued' GROUP BY datastore_id HAVING count(*) > 1;

-- name: no_slot_twice
SELECT datastore_id, slot FROM runs_run WHERE slot IS NOT NULL AND id >= %(first)s GROUP BY datastore_id, slot HAVING count(*) > 1;

-- name: running_means_leased
SELECT id FROM runs_run WHERE id >= %(first)s AND (state = 'running') <> (lease_owner IS NOT NULL AND lease_expires_at IS NOT NULL);

-- name: ended_means_finished
SELECT id FROM runs_run WHERE id >= %(first)s AND (state IN ('queued', 'running')) <> (finished_at IS NULL);

-- name: no_run_open_past_its_age
SELECT id FROM runs_run WHERE state = 'running' AND deadline_at < %(oldest)s;

-- name: succeeded_means_applied_once_under_the_last_fence
SELECT r.id FROM runs_run r LEFT JOIN runs_attempt a ON a.run_id = r.id AND a.outcome_code IN ('succeeded', 'partial')
WHERE r.id >= %(first)s AND (r.state IN ('succeeded', 'partial') OR a.id IS NOT NULL)
GROUP BY r.id, r.state, r.fence
HAVING count(a.id) <> 1 OR min(a.fence) <> r.fence OR min(a.outcome_code) <> r.state;

-- name: every_claim_is_an_attempt
SELECT r.id FROM runs_run r LEFT JOIN runs_attempt a ON a.run_id = r.id
WHERE r.id >= %(first)s GROUP BY r.id, r.attempt HAVING count(a.id) <> r.attempt;

-- name: an_attempt_is_open_while_its_run_is_running
SELECT a.id FROM runs_attempt a JOIN runs_run r ON r.id = a.run_id
WHERE r.id >= %(first)s AND (a.ended_at IS NULL) <> (r.state = 'running' AND r.fence = a.fence);

-- name: dead_means_lost_too_often
SELECT id FROM runs_run WHERE id >= %(first)s AND state = 'dead' AND lost_count < %(lost_limit)s;

-- name: lost_never_goes_on
SELECT id FROM runs_run WHERE state = 'queued' AND lost_count >= %(lost_limit)s;

-- name: numbers_have_no_gap
SELECT s.datastore_id FROM runs_schedule s LEFT JOIN runs_run r ON r.datastore_id = s.datastore_id
GROUP BY s.datastore_id, s.last_number, s.forgotten
HAVING count(r.number) + s.forgotten <> s.last_number OR coalesce(max(r.number), 0) <> s.last_number;

-- name: every_slot_is_a_run_or_counted
SELECT s.datastore_id FROM runs_schedule s
LEFT JOIN runs_run r ON r.datastore_id = s.datastore_id AND r.slot BETWEEN s.created_slot AND s.last_slot
WHERE s.last_slot IS NOT NULL
GROUP BY s.datastore_id, s.created_slot, s.last_slot, s.interval_seconds, s.coalesced, s.forgotten_slots
HAVING count(r.slot) + s.coalesced + s.forgotten_slots <> 1 + {seconds} / s.interval_seconds;
