import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { Principal } from '../auth/access.js';
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
  async render(me: Principal, servers: readonly Server[]): Promise<ServerView[]> {
    if (servers.length === 0) return [];
    const [hosts, blueprints, owners, jobs, changes] = await Promise.all([
      this.hosts(servers.map(({ hostId }) => hostId)),
      this.names(
        Blueprint,
        servers.map(({ blueprintId }) => blueprintId),
      ),
      this.names(
        User,
        servers.map(({ ownerId }) => ownerId),
      ),
      this.jobs.current(
        me,
        servers.map(({ id }) => id),
      ),
      pendingChanges(this.database.manager, servers),
    ]);
    const address = connectHost(this.settings.publicUrl);
    return servers.map((server) => ({
      id: server.id,
      name: server.name,
      title: server.title,
      port: server.port,
      hostId: server.hostId,
      hostName: hosts.get(server.hostId)?.name ?? '',
      blueprintId: server.blueprintId,
      blueprintName: blueprints.get(server.blueprintId) ?? '',
      ownerId: server.ownerId,
      ownerName: owners.get(server.ownerId) ?? '',
      desiredState: server.desiredState,
      ...observed(server, hosts.get(server.hostId)),
      lastError: server.lastError,
      pendingChanges: changes.get(server.id) ?? [],
      connect: `${hosts.get(server.hostId)?.address ?? address}:${server.port}`,
      job: jobs.get(server.id) ?? null,
      createdAt: server.createdAt.toISOString(),
      updatedAt: server.updatedAt.toISOString(),
    }));
  }

  private async hosts(ids: number[]): Promise<Map<number, HostRow>> {
    const rows = await this.database.getRepository(HostRow).findBy({ id: In([...new Set(ids)]) });
    return new Map(rows.map((host) => [host.id, host]));
  }

  private async names(entity: typeof Blueprint | typeof User, ids: number[]): Promise<Map<number, string>> {
    const rows = await this.database
      .getRepository<{ id: number; name: string }>(entity)
      .find({ select: { id: true, name: true }, where: { id: In([...new Set(ids)]) } });
    return new Map(rows.map(({ id, name }) => [id, name]));
  }
}

type Observed = Pick<
  ServerView,
  'actualState' | 'actualStateAt' | 'ready' | 'readyAt' | 'map' | 'players' | 'maxPlayers' | 'usage'
>;

/** What was seen of a server. With its host's worker gone nobody looks: what an instance does there is unknown. */
function observed(server: Server, host: HostRow | undefined): Observed {
  const actualStateAt = server.actualStateAt?.toISOString() ?? null;
  if (server.actualState !== 'absent' && host && !host.online) {
    const nothing = { ready: null, readyAt: null, map: null, players: null, maxPlayers: null, usage: null };
    return { actualState: 'unknown', actualStateAt, ...nothing };
  }
  const { actualState, ready, readyAt, map, players, maxPlayers, usage } = server;
  const seen = { map, players, maxPlayers, usage: actualState === 'running' ? usage : null };
  return { actualState, actualStateAt, ready, readyAt: readyAt?.toISOString() ?? null, ...seen };
}
