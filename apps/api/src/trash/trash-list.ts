import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { RunningSettings } from '../config/settings.js';
import { type Page, page } from '../paging/page.js';
import { Conflict, Invalid, NotFound } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import type { TrashEntryView, TrashQuery } from './trash.dto.js';

/** Whose entries somebody sees: their own, or all; with a server list only of those servers. $1 user, $2 admin, $3 server list. */
const visible = `($2 OR entry.owner_id = $1) AND ($3::int[] IS NULL OR entry.server_id = ANY ($3))`;
const viewer = (me: Principal) => [me.user.id, me.admin, me.serverIds];

type Row = Omit<TrashEntryView, 'deletedAt' | 'keptUntil'> & { deletedAt: Date; keptUntil: Date };

/** What is in the trash, for those whose it is. The name of a server gives no right to anything: names are given out again. */
@Injectable()
export class TrashList {
  constructor(
    private readonly database: DataSource,
    private readonly settings: RunningSettings,
    private readonly announcements: Announcements,
  ) {}

  async list(me: Principal, query: TrashQuery): Promise<Page<TrashEntryView>> {
    const { cursor = null, serverId = null, limit } = query;
    return page(await this.find(me, { cursor, serverId, limit: limit + 1 }), limit);
  }

  /**
   * Asks the worker of its host to remove an entry for good. Asked again it says the same.
   * @throws NotFound; Conflict while a job restores it
   */
  async purge(me: Principal, id: number): Promise<TrashEntryView> {
    const [entry] = await this.find(me, { id });
    if (!entry) throw new NotFound(`trash entry ${id}`);
    const [, asked] = await this.database.query<[unknown[], number]>(
      `UPDATE trash_entries SET purge_begun_at = coalesce(purge_begun_at, now()), purge_problem = NULL WHERE id = $1
         AND NOT EXISTS (SELECT FROM jobs WHERE jobs.restore_entry_id = $1 AND jobs.finished_at IS NULL)`,
      [id],
    );
    if (asked === 0) throw new Conflict(`Trash entry ${id} is being restored: wait for that job, or cancel it.`);
    this.announcements.publish({ topic: 'purge', id: entry.hostId });
    return Object.assign(entry, { state: 'purging' as const, problem: null });
  }

  /**
   * Whether an entry may be put back into a server, which may be another than it was of. One that is there already may be, too: its job
   * finds that out, and a request that is sent again is no mistake.
   * @throws Invalid when the caller sees no such entry; Conflict when it cannot be had any more, or not there
   */
  async requireRestorable(
    me: Principal,
    id: number,
    server: { id: number; name: string; hostId: number },
  ): Promise<void> {
    const [entry] = await this.database.query<
      { hostId: number; hostName: string; purging: boolean; restored: boolean; into: number | null; intoName: string }[]
    >(
      `SELECT entry.host_id AS "hostId", hosts.name AS "hostName", entry.purge_begun_at IS NOT NULL AS purging,
         entry.restored_at IS NOT NULL AS restored, jobs.server_id AS into, jobs.server_name AS "intoName"
       FROM trash_entries entry JOIN hosts ON hosts.id = entry.host_id LEFT JOIN jobs ON jobs.id = entry.restore_job_id
       WHERE entry.id = $4 AND ${visible}`,
      [...viewer(me), id],
    );
    if (!entry) throw new Invalid([{ path: 'restore', message: `there is no trash entry ${id}` }]);
    if (entry.hostId !== server.hostId) {
      throw new Conflict(`Trash entry ${id} is on the host ${entry.hostName}: ${server.name} is on another one.`);
    }
    if (entry.restored && entry.into !== server.id) {
      throw new Conflict(`Trash entry ${id} has been restored into ${entry.intoName} already.`);
    }
    if (entry.purging) throw new Conflict(`Trash entry ${id} is being removed for good.`);
  }

  private async find(
    me: Principal,
    wanted: { id?: number; serverId?: number | null; cursor?: number | null; limit?: number },
  ): Promise<TrashEntryView[]> {
    const rows = await this.database.query<Row[]>(
      `SELECT entry.id, entry.host_id AS "hostId", hosts.name AS "hostName", entry.server_id AS "serverId",
         entry.server_name AS "serverName", entry.owner_id AS "ownerId", users.name AS "ownerName", entry.job_id AS "jobId",
         entry.files, entry.bytes::float8 AS bytes, entry.deleted_at AS "deletedAt",
         entry.deleted_at + make_interval(days => $4::int) AS "keptUntil",
         CASE WHEN entry.purge_begun_at IS NOT NULL THEN 'purging'
           WHEN EXISTS (SELECT FROM jobs WHERE jobs.restore_entry_id = entry.id AND jobs.finished_at IS NULL) THEN 'restoring'
           ELSE 'kept' END AS state, entry.purge_problem AS problem
       FROM trash_entries entry JOIN hosts ON hosts.id = entry.host_id LEFT JOIN users ON users.id = entry.owner_id
       WHERE entry.restored_at IS NULL AND hosts.removed_at IS NULL AND ${visible}
         AND ($5::int IS NULL OR entry.id = $5) AND ($6::int IS NULL OR entry.server_id = $6)
         AND ($7::int IS NULL OR entry.id < $7)
       ORDER BY entry.id DESC LIMIT $8`,
      [
        ...viewer(me),
        this.settings.trashDays,
        wanted.id ?? null,
        wanted.serverId ?? null,
        wanted.cursor ?? null,
        wanted.limit ?? 1,
      ],
    );
    return rows.map((row) => ({
      ...row,
      deletedAt: row.deletedAt.toISOString(),
      keptUntil: row.keptUntil.toISOString(),
    }));
  }
}
