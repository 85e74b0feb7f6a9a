import type { DataSource } from 'typeorm';
import type { NoOpHost } from './no-op-host.js';

/**
 * Counts what must not be: of two jobs that conflict (the same server, or an install with anything) the later one began before the
 * earlier one had ended, by the rows or as the host saw it; a job that did not succeed; a job that ran twice or not at all.
 * @param jobs how many jobs there were
 */
export async function violations(database: DataSource, host: NoOpHost, jobs: number): Promise<number> {
  const [{ early, unsuccessful }] = await database.query<[{ early: number; unsuccessful: number }]>(
    `SELECT
       (SELECT count(*)::int FROM jobs earlier JOIN jobs later ON later.server_id = earlier.server_id
        WHERE later.id > earlier.id AND later.started_at < earlier.finished_at)
       + (SELECT count(*)::int FROM jobs earlier JOIN jobs later ON later.id > earlier.id
          WHERE (earlier.operation = 'install' OR later.operation = 'install') AND later.started_at < earlier.finished_at)
         AS early,
       (SELECT count(*)::int FROM jobs WHERE state <> 'succeeded') AS unsuccessful`,
  );
  return early + unsuccessful + host.overlaps + Math.abs(host.begun - jobs);
}
