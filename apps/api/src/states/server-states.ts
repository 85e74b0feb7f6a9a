import type { InstanceStatus } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { HostLibrary } from '../hosts/host-library.js';
import { Announcements } from '../redis/announcements.js';
import { UsageMeter } from '../servers/server-usage.js';
import { type Answer, query } from './query.js';

/** Where the host's servers are asked over A2S. */
const ADDRESS = '127.0.0.1';

interface Polled {
  id: number;
  name: string;
  port: number;
  fence: number;
}

/** A running server listens where its generation says; its row may say otherwise already, for the next start. */
const polled = `
  SELECT servers.id, name, state_fence AS fence, coalesce((generations.recipe ->> 'port')::int, servers.port) AS port
  FROM servers LEFT JOIN generations ON generations.server_id = servers.id AND generations.number = servers.generation`;

/**
 * Reads what servers really do and writes it down. A write is fenced: it counts only if nothing newer was written and no job began or
 * ended since reading started, so a slow poll never overwrites what a job has made true.
 */
@Injectable()
export class ServerStates {
  private readonly meter = new UsageMeter();

  constructor(
    private readonly database: DataSource,
    private readonly library: HostLibrary,
    private readonly announcements: Announcements,
  ) {}

  /** Reads all servers of a host in one call, but for those a job is running for; or only those named. */
  async poll(hostId: number, names?: readonly string[], again = false): Promise<void> {
    const servers = await this.database.query<Polled[]>(
      `${polled}
       WHERE host_id = $1 AND ($2::text[] IS NULL OR name = ANY ($2)) AND NOT EXISTS (
         SELECT FROM jobs WHERE jobs.server_id = servers.id AND jobs.finished_at IS NULL AND jobs.state <> 'queued')`,
      [hostId, names ?? null],
    );
    const overtaken = await this.read(servers);
    // Something newer was written meanwhile, perhaps from an older look than this one: look once more.
    if (overtaken.length > 0 && !again) await this.poll(hostId, overtaken, true);
  }

  /** Names of the host's servers that run but have not answered yet. */
  async notReady(hostId: number): Promise<string[]> {
    const rows = await this.database.query<{ name: string }[]>(
      `SELECT name FROM servers WHERE host_id = $1 AND actual_state IN ('starting', 'running') AND ready IS NOT TRUE`,
      [hostId],
    );
    return rows.map((row) => row.name);
  }

  /** @returns the names whose reading did not count */
  private async read(servers: Polled[]): Promise<string[]> {
    if (servers.length === 0) return [];
    const host = await this.library.get();
    const read = await host.status(servers.map((server) => server.name));
    const statuses = new Map(read.map((status) => [status.name, status]));
    const counted = await Promise.all(
      servers.map(async (server) => {
        const status = statuses.get(server.name);
        if (!status) return true;
        const answer = status.state === 'running' ? await query(ADDRESS, server.port) : null;
        return this.write(server, status, answer);
      }),
    );
    return servers.filter((_, index) => !counted[index]).map((server) => server.name);
  }

  /** @returns false when something newer had been written */
  private async write(server: Polled, status: InstanceStatus, answer: Answer | null): Promise<boolean> {
    const usage = this.meter.read(server.id, status);
    const ready = status.state === 'running' ? (answer ? true : null) : false;
    const [rows] = await this.database.query<[{ changed: boolean }[], number]>(
      `UPDATE servers SET actual_state = $3, actual_state_at = clock_timestamp(), state_fence = servers.state_fence + 1,
         ready = $4, ready_at = CASE WHEN $4 THEN CASE
           WHEN before.ready_at >= coalesce($10::timestamptz, '-infinity') THEN before.ready_at ELSE clock_timestamp() END END,
         map = $5, players = $6, max_players = $7, generation = $8, usage = $11,
         last_error = CASE WHEN $3 = 'failed' AND before.actual_state <> 'failed'
           THEN coalesce($9, before.last_error) ELSE before.last_error END
       FROM servers before
       WHERE servers.id = $1 AND servers.state_fence = $2 AND before.id = servers.id
       RETURNING (before.actual_state, before.ready, before.map, before.players, before.max_players, before.generation,
           before.usage)
         IS DISTINCT FROM (servers.actual_state, servers.ready, servers.map, servers.players, servers.max_players,
           servers.generation, servers.usage) AS changed`,
      [
        server.id,
        server.fence,
        status.state,
        ready,
        answer?.map ?? null,
        answer?.players ?? null,
        answer?.maxPlayers ?? null,
        status.generation,
        status.reason,
        status.startedAt,
        usage === null ? null : JSON.stringify(usage),
      ],
    );
    if (rows[0]?.changed) this.announcements.publish({ topic: 'server', id: server.id });
    return rows.length > 0;
  }
}
