import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { JobViews } from '../jobs/job-views.js';
import { parseId } from '../problems/id.js';
import { NotFound } from '../problems/problems.js';
import type { BuildView, HostView } from './host.dto.js';
import { HostRow } from './host.entity.js';
import { RuntimeBuild } from './runtime-build.entity.js';

/** Hosts as REST and the live gateway show them. */
@Injectable()
export class HostViews {
  constructor(
    private readonly database: DataSource,
    private readonly jobs: JobViews,
  ) {}

  /**
   * A host as somebody sees it.
   * @param reference its id, or its name
   */
  async find(me: Principal, reference: string): Promise<HostView> {
    const id = parseId(reference);
    const where = id === null ? { name: reference } : { id };
    // PostgreSQL refuses to look for a text with NUL.
    const host = reference.includes('\0') ? null : await this.database.manager.findOneBy(HostRow, where);
    const [view] = host ? await this.render(me, [host.id]) : [];
    if (!view) throw new NotFound(`host ${reference.slice(0, 64)}`);
    return view;
  }

  /** All hosts, or those of these ids, newest first, as somebody sees them; null: as the panel itself does. */
  async render(me: Principal | null = null, ids?: readonly number[]): Promise<HostView[]> {
    const { manager } = this.database;
    const where = ids ? { id: In([...ids]) } : {};
    const hosts = await manager.find(HostRow, { where, order: { id: 'DESC' } });
    const hostIds = hosts.map((host) => host.id);
    const builds = await manager.find(RuntimeBuild, { where: { hostId: In(hostIds) }, order: { installedAt: 'DESC' } });
    const installs = await this.jobs.currentInstall(me, hostIds);
    return hosts.map((host) => {
      const own = builds.filter((build) => build.hostId === host.id);
      const currentBuild = own.find((build) => build.current)?.build ?? null;
      return {
        id: host.id,
        name: host.name,
        address: host.address,
        online: host.online,
        workerSeenAt: host.workerSeenAt?.toISOString() ?? null,
        serviceManager: host.serviceManager,
        isolation: host.isolation,
        isolationReason: host.isolationReason,
        demo: host.demo,
        currentBuild,
        newestBuild: host.newestBuild,
        newestBuildAt: host.newestBuildAt?.toISOString() ?? null,
        updateAvailable: currentBuild !== null && host.newestBuild !== null && currentBuild !== host.newestBuild,
        builds: own.map(buildView),
        job: installs.get(host.id) ?? null,
      };
    });
  }
}

function buildView({ build, installedAt, current, demo, bytes }: RuntimeBuild): BuildView {
  return { build, installedAt: installedAt.toISOString(), current, demo, bytes: Number(bytes) };
}
