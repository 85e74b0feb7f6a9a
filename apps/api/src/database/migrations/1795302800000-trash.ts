import type { MigrationInterface, QueryRunner } from 'typeorm';
import { queueJobs as queueJobsBefore } from './1795300800000-queue-functions.js';

/** As before, and with what an initialize restores. */
const queueJobs = `
CREATE FUNCTION queue_jobs(
  operations text[], host_ids int[], server_ids int[], overlay_ids int[], user_ids int[], builds text[],
  request_ids uuid[], restore_entry_ids int[]
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
      overlays.id AS overlay_id, overlays.name AS overlay_name, users.id AS user_id, asked.build, asked.request_id,
      asked.restore_entry_id
    FROM unnest(operations, host_ids, server_ids, overlay_ids, user_ids, builds, request_ids, restore_entry_ids)
      WITH ORDINALITY AS asked (operation, host_id, server_id, overlay_id, user_id, build, request_id, restore_entry_id, n)
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
    INSERT INTO jobs (id, operation, host_id, server_id, server_name, overlay_id, overlay_name, user_id, build, request_id, restore_entry_id,
      admitted_at)
    SELECT job.id, job.operation, job.host_id, job.server_id, job.server_name, job.overlay_id, job.overlay_name, job.user_id, job.build,
      job.request_id, job.restore_entry_id,
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

const parameters = 'text[], int[], int[], int[], int[], text[], uuid[]';

export class Trash1795302800000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(
      `CREATE TABLE "trash_entries" ("id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL, "host_id" integer NOT NULL, "path" text NOT NULL,
        "server_name" text NOT NULL, "server_id" integer, "owner_id" integer, "job_id" integer, "files" integer, "bytes" bigint,
        "deleted_at" TIMESTAMP WITH TIME ZONE NOT NULL, "restore_job_id" integer, "restored_at" TIMESTAMP WITH TIME ZONE,
        "purge_begun_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_02e2ec1485200b530ed74d4d686" PRIMARY KEY ("id"))`,
    );
    await run.query(`CREATE INDEX "trash_entries_owner" ON "trash_entries" ("owner_id")`);
    await run.query(`CREATE UNIQUE INDEX "trash_entries_path" ON "trash_entries" ("host_id", "path")`);
    const references = {
      FK_93914982f1c0e340e295e93e46b: '("host_id") REFERENCES "hosts"("id") ON DELETE CASCADE',
      FK_7024d1433182be06a427f1825a7: '("server_id") REFERENCES "servers"("id") ON DELETE SET NULL',
      FK_2e9ecac1ae80af5123c8dc003bd: '("owner_id") REFERENCES "users"("id") ON DELETE SET NULL',
      FK_11ec854dacc1512da3ecf0bd907: '("job_id") REFERENCES "jobs"("id") ON DELETE SET NULL',
      FK_c13b1683cac1772244e22e42fc5: '("restore_job_id") REFERENCES "jobs"("id") ON DELETE SET NULL',
    };
    for (const [name, reference] of Object.entries(references)) {
      await run.query(
        `ALTER TABLE "trash_entries" ADD CONSTRAINT "${name}" FOREIGN KEY ${reference} ON UPDATE NO ACTION`,
      );
    }
    await run.query(`ALTER TABLE "jobs" ADD "restore_entry_id" integer`);
    await run.query(`DROP FUNCTION queue_jobs(${parameters})`);
    await run.query(queueJobs);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`DROP FUNCTION queue_jobs(${parameters}, int[])`);
    await run.query(queueJobsBefore);
    await run.query(`ALTER TABLE "jobs" DROP COLUMN "restore_entry_id"`);
    await run.query(`DROP TABLE "trash_entries"`);
  }
}
