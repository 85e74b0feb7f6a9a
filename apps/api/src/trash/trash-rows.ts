import type { TrashEntry } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** An entry as a job that restores it finds it. */
export interface Restorable {
  path: string;
  /** The server into which the last job has put it, or was about to. */
  lastServerId: number | null;
  purging: boolean;
}

/*
 * Of which job, and so whose, an entry is. Its folder's numbers alone do not say that: another database may have given them out before,
 * with the same root. An hour: the clocks of host and database may differ.
 */
const itsJob = `
  jobs.id = substring(disk.path FROM '^[0-9]{1,9}/([0-9]{1,9})(?:-[0-9]+)?$')::int
  AND jobs.server_id = substring(disk.path FROM '^([0-9]{1,9})/')::int
  AND jobs.host_id = $1 AND jobs.server_name = disk.server
  AND jobs.started_at < disk.deleted_at + interval '1 hour'
  AND coalesce(jobs.finished_at, 'infinity') > disk.deleted_at - interval '1 hour'`;

/** The rows of a host's trash, as its worker keeps them. */
@Injectable()
export class TrashRows {
  constructor(private readonly database: DataSource) {}

  /**
   * Writes down entries that are on the disk, and what is to be masked in them; those that are known stay as they are.
   * @param jobId the job that has just made them; without it, whose they are is found out
   */
  async note(hostId: number, entries: readonly TrashEntry[], jobId: number | null = null): Promise<void> {
    await this.database.query(
      `WITH noted AS (
       INSERT INTO trash_entries (host_id, path, server_name, server_id, owner_id, job_id, files, bytes, deleted_at)
       SELECT $1, disk.path, disk.server, servers.id, servers.owner_id, jobs.id, disk.files, disk.bytes, least(disk.deleted_at, now())
       FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[], $6::timestamptz[]) AS disk (path, server, files, bytes, deleted_at)
       LEFT JOIN jobs ON CASE WHEN $7::int IS NULL THEN ${itsJob} ELSE jobs.id = $7 END
       LEFT JOIN servers ON servers.id = jobs.server_id
       ON CONFLICT (host_id, path) DO NOTHING
       RETURNING id, server_id)
       INSERT INTO given_values (trash_entry_id, digest, sealed, given_at)
       SELECT noted.id, given.digest, given.sealed, given.given_at FROM noted JOIN given_values given USING (server_id)`,
      [
        hostId,
        entries.map(({ path }) => path),
        entries.map(({ server }) => server),
        entries.map(({ files }) => files),
        entries.map(({ bytes }) => bytes),
        entries.map(({ deletedAt }) => deletedAt),
        jobId,
      ],
    );
  }

  /** Paths of the entries that are in the trash, by their rows. */
  async kept(hostId: number): Promise<string[]> {
    const rows = await this.database.query<{ path: string }[]>(
      `SELECT path FROM trash_entries WHERE host_id = $1 AND restored_at IS NULL`,
      [hostId],
    );
    return rows.map(({ path }) => path);
  }

  /** Why an entry is still there. */
  async notePurgeProblem(id: number, problem: string): Promise<void> {
    await this.database.query(`UPDATE trash_entries SET purge_problem = $2 WHERE id = $1`, [id, problem]);
  }

  /** Of entries that are not on the disk any more: those that a job set out to restore are restored, the others gone. */
  async noteGone(hostId: number, paths: readonly string[]): Promise<void> {
    await this.database.query(
      `UPDATE trash_entries SET restored_at = now()
       WHERE host_id = $1 AND path = ANY ($2) AND restored_at IS NULL AND restore_job_id IS NOT NULL AND purge_begun_at IS NULL`,
      [hostId, paths],
    );
    await this.database.query(
      `DELETE FROM trash_entries WHERE host_id = $1 AND path = ANY ($2) AND restored_at IS NULL AND purge_begun_at IS NULL`,
      [hostId, paths],
    );
  }

  /** An entry of the host; null: there is none of that id (any more). */
  async restorable(hostId: number, id: number): Promise<Restorable | null> {
    const [row] = await this.database.query<Restorable[]>(
      `SELECT path, jobs.server_id AS "lastServerId", purge_begun_at IS NOT NULL AS purging
       FROM trash_entries LEFT JOIN jobs ON jobs.id = restore_job_id
       WHERE trash_entries.id = $2 AND trash_entries.host_id = $1`,
      [hostId, id],
    );
    return row ?? null;
  }

  /**
   * Before an entry is moved: who looks later knows where it went, and in its server the same is masked as in the one it is of.
   * @returns false: another job restores it, or it is being purged
   */
  async claim(id: number, jobId: number): Promise<boolean> {
    return this.database.transaction(async (manager) => {
      const [, claimed] = await manager.query<[unknown[], number]>(
        `UPDATE trash_entries SET restore_job_id = $2
         WHERE id = $1 AND purge_begun_at IS NULL
           AND NOT EXISTS (SELECT FROM jobs WHERE jobs.id = restore_job_id AND jobs.id <> $2 AND jobs.finished_at IS NULL)`,
        [id, jobId],
      );
      if (claimed === 0) return false;
      await manager.query(
        `INSERT INTO given_values (server_id, digest, sealed, given_at)
         SELECT jobs.server_id, given.digest, given.sealed, given.given_at
         FROM given_values given JOIN jobs ON jobs.id = $2 WHERE given.trash_entry_id = $1
         ON CONFLICT (server_id, digest) DO NOTHING`,
        [id, jobId],
      );
      return true;
    });
  }

  async noteRestored(id: number): Promise<void> {
    await this.database.query(`UPDATE trash_entries SET restored_at = now() WHERE id = $1 AND restored_at IS NULL`, [
      id,
    ]);
  }

  /** Takes what is to be removed out of everybody's reach: what was asked for, and what is older than `days`. Not what a job restores. */
  async beginPurge(hostId: number, days: number): Promise<{ id: number; path: string }[]> {
    const [rows] = await this.database.query<[{ id: number; path: string }[], number]>(
      `UPDATE trash_entries SET purge_begun_at = coalesce(purge_begun_at, now())
       WHERE host_id = $1
         AND (purge_begun_at IS NOT NULL OR greatest(deleted_at, restored_at) < now() - make_interval(days => $2))
         AND NOT EXISTS (SELECT FROM jobs WHERE jobs.restore_entry_id = trash_entries.id AND jobs.finished_at IS NULL)
       RETURNING id, path`,
      [hostId, days],
    );
    return rows;
  }

  async forget(id: number): Promise<void> {
    await this.database.query(`DELETE FROM trash_entries WHERE id = $1`, [id]);
  }
}
