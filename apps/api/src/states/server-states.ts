import { setTimeout as sleep } from 'node:timers/promises';
import type { InstanceStatus } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { HostLibrary } from '../hosts/host-library.js';
import { Announcements } from '../redis/announcements.js';
import { ServerMasks } from '../secrets/server-masks.js';
import { type ServerUsage, UsageMeter } from '../servers/server-usage.js';
import { type Answer, query } from './query.js';

/** Where the host's servers are asked over A2S. */
const ADDRESS = '127.0.0.1';
/** Answers are gathered this long. */
const GATHER_MS = 100;

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

/** What was seen of a server, as `writeSeen` takes it. */
interface Seen {
  id: number;
  name: string;
  fence: number;
  state: InstanceStatus['state'];
  ready: boolean | null;
  map: string | null;
  players: number | null;
  max_players: number | null;
  generation: number | null;
  reason: string | null;
  started_at: string | null;
  usage: ServerUsage | null;
}

/** A row that somebody else is just writing is left to them: what holds several rows must not wait for those who do the same. */
const writeSeen = `
  WITH seen AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS seen (id int, fence int, state text, ready boolean, map text, players int,
      max_players int, generation int, reason text, started_at timestamptz, usage jsonb)
  ), before AS (
    SELECT servers.* FROM servers JOIN seen ON seen.id = servers.id AND seen.fence = servers.state_fence
    FOR NO KEY UPDATE OF servers SKIP LOCKED
  )
  UPDATE servers SET actual_state = seen.state, actual_state_at = clock_timestamp(), state_fence = servers.state_fence + 1,
    ready = seen.ready, ready_at = CASE WHEN seen.ready THEN CASE
      WHEN before.ready_at >= coalesce(seen.started_at, '-infinity') THEN before.ready_at ELSE clock_timestamp() END END,
    map = seen.map, players = seen.players, max_players = seen.max_players, generation = seen.generation, usage = seen.usage,
    last_error = CASE WHEN seen.state = 'failed' AND before.actual_state <> 'failed'
      THEN coalesce(seen.reason, before.last_error) ELSE before.last_error END
  FROM seen JOIN before ON before.id = seen.id
  WHERE servers.id = seen.id AND servers.state_fence = seen.fence
  RETURNING servers.id, (before.actual_state, before.ready, before.map, before.players, before.max_players,
      before.generation, before.usage)
    IS DISTINCT FROM (servers.actual_state, servers.ready, servers.map, servers.players, servers.max_players,
      servers.generation, servers.usage) AS changed`;

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
    private readonly masks: ServerMasks,
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
    const found = await host.status(servers.map((server) => server.name));
    const statuses = new Map(found.map((status) => [status.name, status]));
    const seen: Seen[] = [];
    const looks = Promise.all(
      servers.map(async (server) => {
        const read = statuses.get(server.name);
        if (!read) return;
        const status = await this.masks.applyTo(server.id, read);
        const answer = status.state === 'running' ? await query(ADDRESS, server.port) : null;
        seen.push(this.seen(server, status, answer));
      }),
    );
    const overtaken: string[] = [];
    // Written together, but for those that make the others wait.
    for (let over = false; !over;) {
      over = await Promise.race([looks.then(() => true), sleep(GATHER_MS, false)]);
      overtaken.push(...(await this.write(seen.splice(0))));
    }
    return overtaken;
  }

  private seen({ id, name, fence }: Polled, status: InstanceStatus, answer: Answer | null): Seen {
    return {
      id,
      name,
      fence,
      state: status.state,
      ready: status.state === 'running' ? (answer ? true : null) : false,
      map: answer?.map ?? null,
      players: answer?.players ?? null,
      max_players: answer?.maxPlayers ?? null,
      generation: status.generation,
      reason: status.reason,
      started_at: status.startedAt,
      usage: this.meter.read(id, status),
    };
  }

  /** @returns the names of those of which something newer had been written */
  private async write(seen: readonly Seen[]): Promise<string[]> {
    if (seen.length === 0) return [];
    const [rows] = await this.database.query<[{ id: number; changed: boolean }[], number]>(writeSeen, [
      JSON.stringify(seen),
    ]);
    for (const { id, changed } of rows) if (changed) this.announcements.publish({ topic: 'server', id });
    const written = new Set(rows.map(({ id }) => id));
    return seen.filter(({ id }) => !written.has(id)).map(({ name }) => name);
  }
}
