import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Jobs } from '../jobs/jobs.service.js';
import { Conflict, NotFound } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import { Server } from '../servers/server.entity.js';
import { HostRow } from './host.entity.js';

/** Drafts are on its machine, and overlays are built there. */
const ALWAYS_THERE = 'local';

/** Removes hosts whose machine is gone. The row stays, for its jobs, and is shown again when a worker comes under its name. */
@Injectable()
export class HostRemoval {
  constructor(
    private readonly database: DataSource,
    private readonly jobs: Jobs,
    private readonly announcements: Announcements,
  ) {}

  /** @throws NotFound; Conflict while its worker is there, a server is on it, or a job of it has not ended */
  async remove(id: number): Promise<void> {
    await this.database.transaction(async (manager) => {
      // A server or a job that is just being made refers to the row: the lock waits for it.
      const host = await manager.findOne(HostRow, { where: { id }, lock: { mode: 'pessimistic_write' } });
      if (!host) throw new NotFound(`host ${id}`);
      const cannot = `${host.name} cannot be removed`;
      if (host.name === ALWAYS_THERE) throw new Conflict(`${cannot}: overlays are built there.`);
      if (host.online) throw new Conflict(`${cannot} while its worker is there: stop the worker first.`);
      const servers = await manager.find(Server, {
        where: { hostId: id },
        select: { name: true },
        order: { id: 'ASC' },
      });
      if (servers.length > 0) {
        const names = servers.map(({ name }) => name).join(', ');
        throw new Conflict(`${cannot} while servers are on it: ${names}. Delete them, or move them, first.`);
      }
      if (!(await this.jobs.isIdle({ hostId: id }, manager))) {
        throw new Conflict(`${cannot} while a job of it waits or runs: cancel it, or start the worker to end it.`);
      }
      await manager.softDelete(HostRow, id);
    });
    this.announcements.publish({ topic: 'host', id, removed: true });
  }
}
