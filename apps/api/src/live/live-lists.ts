import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { HostRow } from '../hosts/host.entity.js';
import { HostViews } from '../hosts/host-views.js';
import { JobAccess } from '../jobs/job-access.js';
import { JobViews } from '../jobs/job-views.js';
import { OverlayViews } from '../overlays/overlay-views.js';
import { Overlay } from '../overlays/overlay.entity.js';
import { seesServer } from '../servers/server-access.js';
import { ServerViews } from '../servers/server-views.js';
import { Server } from '../servers/server.entity.js';
import type { ListName } from './live-messages.js';

/** Reads the rows that were announced, as one principal sees them over REST. */
@Injectable()
export class LiveLists {
  constructor(
    private readonly database: DataSource,
    private readonly servers: ServerViews,
    private readonly overlays: OverlayViews,
    private readonly hosts: HostViews,
    private readonly jobs: JobViews,
    private readonly jobAccess: JobAccess,
  ) {}

  /** The items of these ids; those that are gone, or not the principal's to see, are missing. */
  async read(me: Principal, list: ListName, ids: readonly number[]): Promise<{ id: number }[]> {
    const where = { id: In([...ids]) };
    switch (list) {
      case 'servers': {
        const rows = await this.database.manager.find(Server, { where });
        return this.servers.render(
          me,
          rows.filter((server) => seesServer(me, server)),
        );
      }
      case 'overlays': {
        const rows = await this.database.manager.find(Overlay, { where });
        return this.overlays.render(rows.filter((overlay) => seesOverlay(me, overlay)));
      }
      case 'jobs':
        return this.jobs.byIds(me, await this.jobAccess.visible(me, ids));
      case 'hosts':
        return this.hosts.render(me, ids);
    }
  }

  /** Ids of what the principal sees of a list now; of jobs none, since they are never deleted. */
  async shown(me: Principal, list: ListName): Promise<number[]> {
    const { manager } = this.database;
    const select = { id: true, ownerId: true } as const;
    switch (list) {
      case 'servers':
        return idsOf((await manager.find(Server, { select })).filter((server) => seesServer(me, server)));
      case 'overlays':
        return idsOf((await manager.find(Overlay, { select })).filter((overlay) => seesOverlay(me, overlay)));
      case 'jobs':
        return [];
      case 'hosts':
        return idsOf(await manager.find(HostRow, { select: { id: true } }));
    }
  }
}

function seesOverlay(me: Principal, overlay: Pick<Overlay, 'ownerId'>): boolean {
  return me.admin || overlay.ownerId === null || overlay.ownerId === me.user.id;
}

function idsOf(rows: readonly { id: number }[]): number[] {
  return rows.map(({ id }) => id);
}
