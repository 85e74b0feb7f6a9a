import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import { Blueprint } from '../blueprints/blueprint.entity.js';
import { RunningSettings } from '../config/settings.js';
import { HostRow } from '../hosts/host.entity.js';
import { JobViews } from '../jobs/job-views.js';
import { User } from '../users/user.entity.js';
import { connectHost } from './connect-address.js';
import { pendingChanges } from './pending-changes.js';
import type { ServerView } from './server.dto.js';
import type { Server } from './server.entity.js';

/** Servers as REST and the live gateway show them, many at once with a fixed number of queries. */
@Injectable()
export class ServerViews {
  constructor(
    private readonly database: DataSource,
    private readonly jobs: JobViews,
    private readonly settings: RunningSettings,
  ) {}

  /** In the order given; needs no relations loaded. Whether somebody may see them is the caller's business. */
  async render(servers: readonly Server[]): Promise<ServerView[]> {
    if (servers.length === 0) return [];
    const [hosts, blueprints, owners, jobs, changes] = await Promise.all([
      this.names(
        HostRow,
        servers.map(({ hostId }) => hostId),
      ),
      this.names(
        Blueprint,
        servers.map(({ blueprintId }) => blueprintId),
      ),
      this.names(
        User,
        servers.map(({ ownerId }) => ownerId),
      ),
      this.jobs.current(servers.map(({ id }) => id)),
      pendingChanges(this.database.manager, servers),
    ]);
    const address = connectHost(this.settings.publicUrl);
    return servers.map((server) => ({
      id: server.id,
      name: server.name,
      title: server.title,
      port: server.port,
      hostId: server.hostId,
      hostName: hosts.get(server.hostId) ?? '',
      blueprintId: server.blueprintId,
      blueprintName: blueprints.get(server.blueprintId) ?? '',
      ownerId: server.ownerId,
      ownerName: owners.get(server.ownerId) ?? '',
      desiredState: server.desiredState,
      actualState: server.actualState,
      actualStateAt: server.actualStateAt?.toISOString() ?? null,
      ready: server.ready,
      readyAt: server.readyAt?.toISOString() ?? null,
      lastError: server.lastError,
      pendingChanges: changes.get(server.id) ?? [],
      map: server.map,
      players: server.players,
      maxPlayers: server.maxPlayers,
      connect: `${address}:${server.port}`,
      job: jobs.get(server.id) ?? null,
      createdAt: server.createdAt.toISOString(),
      updatedAt: server.updatedAt.toISOString(),
    }));
  }

  private async names(
    entity: typeof HostRow | typeof Blueprint | typeof User,
    ids: number[],
  ): Promise<Map<number, string>> {
    const rows = await this.database
      .getRepository<{ id: number; name: string }>(entity)
      .find({ select: { id: true, name: true }, where: { id: In([...new Set(ids)]) } });
    return new Map(rows.map(({ id, name }) => [id, name]));
  }
}
