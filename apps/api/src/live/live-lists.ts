import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { Principal } from '../auth/access.js';
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
        return this.servers.render(rows.filter((server) => seesServer(me, server)));
      }
      case 'overlays': {
        const rows = await this.database.manager.find(Overlay, { where });
        const mine = (overlay: Overlay) => me.admin || overlay.ownerId === null || overlay.ownerId === me.user.id;
        return this.overlays.render(rows.filter(mine));
      }
      case 'jobs':
        return this.jobs.byIds(await this.jobAccess.visible(me, ids));
      case 'hosts':
        return this.hosts.render(ids);
    }
  }
}
