import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * Queues jobs, in one statement of the panel's (see NewJobs); a request that has queued its job already gets that one. The advisory lock makes ids commit in the order they are given: without
 * it a job with a lower id could commit after a later one was admitted, and both would run. Each statement of the function sees what
 * earlier holders of the lock have committed; one statement of the panel's that took the lock itself would not.
 */
export const queueJobs = `
CREATE FUNCTION queue_jobs(
  operations text[], host_ids int[], server_ids int[], overlay_ids int[], user_ids int[], builds text[],
  request_ids uuid[]
) RETURNS TABLE (n bigint, id int, operation text, host_id int, server_id int, overlay_id int, admitted boolean, fresh boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM pg_advisory_xact_lock(4222860);
  -- What a job refers to is not deleted before the job refers to it.
  PERFORM FROM servers WHERE servers.id = ANY (server_ids) ORDER BY servers.id FOR KEY SHARE;
  IF array_remove(overlay_ids, NULL) <> '{}' THEN
    PERFORM FROM overlays WHERE overlays.id = ANY (overlay_ids) ORDER BY overlays.id FOR KEY SHARE;
  END IF;
  PERFORM FROM users WHERE users.id = ANY (user_ids) ORDER BY users.id FOR KEY SHARE;

  -- Of the same request sent twice at once, the second finds the job of the first.
  IF array_remove(request_ids, NULL) <> '{}' THEN
    RETURN QUERY
    SELECT asked.n, jobs.id, jobs.operation, jobs.host_id, jobs.server_id, jobs.overlay_id, false, false
    FROM unnest(request_ids) WITH ORDINALITY AS asked (request_id, n) JOIN jobs ON jobs.request_id = asked.request_id;
  END IF;

  RETURN QUERY
  WITH found AS (
    -- Builds are made where the drafts are: on the host named local.
    SELECT asked.n, asked.operation, coalesce(servers.host_id, local.id, asked.host_id) AS host_id,
      servers.id AS server_id, servers.name AS server_name, servers.blueprint_id,
      overlays.id AS overlay_id, overlays.name AS overlay_name, users.id AS user_id, asked.build, asked.request_id
    FROM unnest(operations, host_ids, server_ids, overlay_ids, user_ids, builds, request_ids)
      WITH ORDINALITY AS asked (operation, host_id, server_id, overlay_id, user_id, build, request_id, n)
    LEFT JOIN servers ON servers.id = asked.server_id
    LEFT JOIN overlays ON overlays.id = asked.overlay_id
    LEFT JOIN hosts local ON overlays.id IS NOT NULL AND local.name = 'local'
    LEFT JOIN users ON users.id = asked.user_id
    WHERE CASE asked.operation WHEN 'install' THEN true WHEN 'build-overlay' THEN local.id IS NOT NULL ELSE servers.id IS NOT NULL END
      AND (asked.request_id IS NULL OR (
        array_position(request_ids, asked.request_id) = asked.n
        AND NOT EXISTS (SELECT FROM jobs WHERE jobs.request_id = asked.request_id)))
    ORDER BY asked.n
  ), job AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('jobs', 'id'))::int AS id, found.* FROM found
  ), claim AS MATERIALIZED (
    -- A job runs when no earlier unfinished job holds a conflicting claim. Every job has exactly one exclusive claim, which
    -- admission relies on.
    SELECT job.id AS job_id, 'server:' || job.server_id AS resource, true AS exclusive FROM job WHERE job.server_id IS NOT NULL
    UNION ALL
    SELECT job.id, 'host:' || job.host_id || '/runtime', job.operation = 'install' FROM job WHERE job.operation <> 'build-overlay'
    UNION ALL
    SELECT job.id, 'overlay:' || job.overlay_id, true FROM job WHERE job.operation = 'build-overlay'
    UNION ALL
    -- Only an overlay that has no revision at all is worth waiting for.
    SELECT job.id, 'overlay:' || used.overlay_id, false FROM job JOIN blueprint_overlays used ON used.blueprint_id = job.blueprint_id
    WHERE job.operation IN ('initialize', 'start', 'restart')
      AND NOT EXISTS (SELECT FROM overlay_revisions made WHERE made.overlay_id = used.overlay_id)
  ), written AS (
    -- One that comes alone, with nothing in conflict before it, is admitted at once. Of several, one may be before another: those
    -- are left to admission.
    INSERT INTO jobs (id, operation, host_id, server_id, server_name, overlay_id, overlay_name, user_id, build, request_id, admitted_at)
    SELECT job.id, job.operation, job.host_id, job.server_id, job.server_name, job.overlay_id, job.overlay_name, job.user_id, job.build,
      job.request_id,
      CASE WHEN cardinality(operations) = 1 AND NOT EXISTS (
        SELECT FROM claim WHERE CASE
          WHEN claim.exclusive THEN EXISTS (SELECT FROM job_claims ahead WHERE ahead.resource = claim.resource)
          ELSE EXISTS (SELECT FROM job_claims ahead WHERE ahead.resource = claim.resource AND ahead.exclusive)
        END
      ) THEN clock_timestamp() END
    FROM job
    RETURNING jobs.id, jobs.admitted_at IS NOT NULL AS admitted
  ), claimed AS (
    INSERT INTO job_claims (job_id, resource, exclusive) SELECT claim.job_id, claim.resource, claim.exclusive FROM claim
  )
  SELECT job.n, job.id, job.operation, job.host_id, job.server_id, job.overlay_id, written.admitted, true
  FROM job JOIN written ON written.id = job.id;
END $$`;

/*
 * Admits every job with nothing conflicting ahead of it. Candidates are the heads: the earliest claim of each exclusively claimed
 * resource, found by skipping from resource to resource in the index, so that the cost follows the number of resources, not the length
 * of the line. Scalar subqueries and ANY (ARRAY …) are deliberate: as joins, which they could be, they would be planned by statistics
 * that are always stale; so they are index probes.
 */
const admitJobs = `
CREATE FUNCTION admit_jobs() RETURNS TABLE (id int, host_id int, operation text, twin int)
LANGUAGE sql AS $$
  WITH RECURSIVE heads AS (
    (SELECT resource, job_id FROM job_claims WHERE exclusive ORDER BY resource, job_id LIMIT 1)
    UNION ALL
    SELECT following.resource, following.job_id FROM heads, LATERAL (
      SELECT resource, job_id FROM job_claims WHERE exclusive AND resource > heads.resource ORDER BY resource, job_id LIMIT 1
    ) following
  ), free AS (
    SELECT heads.job_id FROM heads
    WHERE CASE WHEN (SELECT state = 'queued' AND admitted_at IS NULL FROM jobs WHERE jobs.id = heads.job_id) THEN NOT (
      SELECT bool_or(CASE
        WHEN mine.exclusive THEN EXISTS (
          SELECT FROM job_claims ahead WHERE ahead.resource = mine.resource AND ahead.job_id < mine.job_id)
        ELSE EXISTS (
          SELECT FROM job_claims ahead WHERE ahead.resource = mine.resource AND ahead.job_id < mine.job_id AND ahead.exclusive)
      END) FROM job_claims mine WHERE mine.job_id = heads.job_id
    ) END
  )
  UPDATE jobs SET admitted_at = clock_timestamp()
  WHERE jobs.id = ANY (ARRAY(SELECT job_id FROM free)) AND state = 'queued' AND admitted_at IS NULL
  RETURNING jobs.id, jobs.host_id, jobs.operation, jobs.twin
$$`;

/*
 * Ends jobs, frees their claims, notes on their servers how it went and what they do now, and admits what these ends have freed. What
 * the server does was read after its job, which still held its claim; a run that goes on keeps what it has answered, and that it is the
 * same run tells its generation, since every start makes a new one.
 */
const sameRun = `(ended.seen = 'running' AND servers.actual_state = 'running' AND servers.generation = ended.generation)`;
const kept = `ended.seen IS NULL OR ${sameRun}`;
const endJobs = `
CREATE FUNCTION end_jobs(
  ids int[], incarnations uuid[], states text[], exit_codes int[], errors text[], seens text[], generations int[], reasons text[],
  last_lines text[]
) RETURNS TABLE (id int, host_id int, operation text, twin int, ended boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH ended AS (
    UPDATE jobs SET state = given.state, exit_code = given.exit_code, error = given.error, finished_at = clock_timestamp(),
      progress_percent = NULL, progress_text = NULL
    FROM unnest(ids, incarnations, states, exit_codes, errors, seens, generations, reasons, last_lines)
      AS given (id, incarnation, state, exit_code, error, seen, generation, reason, last_line)
    WHERE jobs.id = ANY (ids) AND jobs.id = given.id AND jobs.incarnation = given.incarnation
      AND jobs.state IN ('running', 'cancelling')
    RETURNING jobs.id, jobs.host_id, jobs.server_id, jobs.operation, jobs.twin,
      given.state, given.error, given.seen, given.generation, given.reason, given.last_line
  ), released AS (
    DELETE FROM job_claims WHERE job_id = ANY (ARRAY(SELECT ended.id FROM ended))
  ), explained AS (
    INSERT INTO job_log (job_id, seq, stream, line, at)
    SELECT ended.id, 1 + coalesce((SELECT max(seq) FROM job_log WHERE job_id = ended.id), 0), 'system', last_line, clock_timestamp()
    FROM ended WHERE last_line IS NOT NULL
    ON CONFLICT DO NOTHING
  ), noted AS (
    UPDATE servers SET state_fence = state_fence + 1,
      last_error = CASE
        WHEN ended.state = 'succeeded' THEN NULL
        WHEN ended.state = 'failed' THEN ended.operation || ' failed: ' || ended.error
        WHEN ended.seen = 'failed' AND servers.actual_state <> 'failed' THEN coalesce(ended.reason, servers.last_error)
        ELSE servers.last_error END,
      actual_state = coalesce(ended.seen, servers.actual_state),
      actual_state_at = CASE WHEN ended.seen IS NULL THEN servers.actual_state_at ELSE clock_timestamp() END,
      generation = CASE WHEN ended.seen IS NULL THEN servers.generation ELSE ended.generation END,
      ready = CASE WHEN ${kept} THEN servers.ready WHEN ended.seen <> 'running' THEN false END,
      ready_at = CASE WHEN ${kept} THEN servers.ready_at END,
      map = CASE WHEN ${kept} THEN servers.map END,
      players = CASE WHEN ${kept} THEN servers.players END,
      max_players = CASE WHEN ${kept} THEN servers.max_players END
    FROM ended WHERE servers.id = ended.server_id
  )
  SELECT ended.id, ended.host_id, ended.operation, ended.twin, true FROM ended;

  RETURN QUERY SELECT admitted.*, false FROM admit_jobs() admitted;
END $$`;

export class QueueFunctions1795300800000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    // Without the state in its condition a claim changes no index, and with room on their pages rows are updated where they are.
    await run.query(`DROP INDEX "jobs_waiting_twin"`);
    await run.query(
      `CREATE INDEX "jobs_admitted" ON "jobs" ("id") WHERE "admitted_at" IS NOT NULL AND "finished_at" IS NULL`,
    );
    await run.query(`ALTER TABLE "jobs" SET (fillfactor = 70)`);
    await run.query(`ALTER TABLE "servers" SET (fillfactor = 50)`);
    // A line is only ever written for a job that runs; asking for each line whether its job is there cost more than writing it.
    await run.query(`ALTER TABLE "job_log" DROP CONSTRAINT "FK_afca576a36dd635a3643a2a2c87"`);
    await run.query(queueJobs);
    await run.query(admitJobs);
    await run.query(endJobs);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('DROP FUNCTION end_jobs');
    await run.query('DROP FUNCTION admit_jobs');
    await run.query('DROP FUNCTION queue_jobs');
    await run.query(
      `ALTER TABLE "job_log" ADD CONSTRAINT "FK_afca576a36dd635a3643a2a2c87" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await run.query(`ALTER TABLE "servers" RESET (fillfactor)`);
    await run.query(`ALTER TABLE "jobs" RESET (fillfactor)`);
    await run.query(`DROP INDEX "jobs_admitted"`);
    await run.query(
      `CREATE INDEX "jobs_waiting_twin" ON "jobs" ("id") WHERE "state" = 'queued' AND "admitted_at" IS NOT NULL`,
    );
  }
}
