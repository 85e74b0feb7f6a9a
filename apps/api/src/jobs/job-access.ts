import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { NotAllowed, NotFound } from '../problems/problems.js';
import { Job } from './job.entity.js';

/**
 * Whose jobs somebody sees: those of their own servers and overlays, of the catalog's overlays, and the hosts' installs, which others
 * wait for. A token with a server list sees those servers' jobs only. As SQL, for lists; parameters $1 user, $2 admin, $3 server list.
 */
export const visibleJobs = `
  ($3::int[] IS NULL OR jobs.server_id = ANY ($3)) AND ($2 OR jobs.user_id = $1
    OR jobs.operation = 'install'
    OR EXISTS (SELECT FROM servers WHERE servers.id = jobs.server_id AND servers.owner_id = $1)
    OR EXISTS (SELECT FROM overlays WHERE overlays.id = jobs.overlay_id AND coalesce(overlays.owner_id, $1) = $1))`;

/** The parameters of `visibleJobs`. */
export const viewer = (me: Principal) => [me.user.id, me.admin, me.serverIds];

/** Finds jobs for somebody, and says what they may do with them. */
@Injectable()
export class JobAccess {
  constructor(private readonly database: DataSource) {}

  /** Of these ids, those that the principal sees. */
  async visible(me: Principal, ids: readonly number[]): Promise<number[]> {
    const rows = await this.database.query<{ id: number }[]>(
      `SELECT id FROM jobs WHERE id = ANY ($4) AND ${visibleJobs}`,
      [...viewer(me), ids],
    );
    return rows.map((row) => row.id);
  }

  /** @throws NotFound when the job is not there or not visible */
  async find(me: Principal, id: number): Promise<Job> {
    const [seen] = await this.visible(me, [id]);
    const job = seen === undefined ? null : await this.database.manager.findOneBy(Job, { id });
    if (!job) throw new NotFound(`job ${id}`);
    return job;
  }

  /** @throws NotAllowed when the principal sees the job but may not cancel it */
  async assertMayCancel(me: Principal, job: Job): Promise<void> {
    if (me.admin || job.userId === me.user.id) return;
    const rows = await this.database.query<unknown[]>(
      `SELECT 1 FROM servers WHERE id = $1 AND owner_id = $3 UNION ALL SELECT 1 FROM overlays WHERE id = $2 AND owner_id = $3`,
      [job.serverId, job.overlayId, me.user.id],
    );
    if (rows.length === 0) throw new NotAllowed(`Job ${job.id} is not yours to cancel: ask an admin.`);
  }
}
