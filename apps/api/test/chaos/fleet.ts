import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { redisConnection } from '../../src/config/redis-connection.js';
import type { RunningSettings } from '../../src/config/settings.js';
import { openDatabase } from '../../src/database/data-source.js';
import { RconPasswords } from '../../src/servers/rcon-password.js';
import { type StoppableServices, stoppableServices } from '../stoppable-services.js';
import { Member } from './member.js';
import { HOLDS, type HostName, type Lane, OVERLAYS, QUICK_OVERLAY, type World, hosts, servers } from './model.js';
import { Record } from './record.js';

const PREFIX = 'chaos';
/** Processes that answer requests only, so that jobs are queued by several processes at the same time. */
const APIS = 2;

/** Holds a transaction that queues a job open at its commit, when its id is given already, for as long as its user says. */
const HOLD = `
  CREATE FUNCTION chaos_hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_sleep(substring(name FROM 'hold-(\\d+)')::float / 1000) FROM users WHERE id = NEW.user_id;
    RETURN NULL;
  END $$;
  CREATE CONSTRAINT TRIGGER chaos_hold AFTER INSERT ON jobs DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION chaos_hold();
  INSERT INTO users (name, password_hash, role) SELECT 'hold-' || ms, '', 'user' FROM unnest(ARRAY[${HOLDS.join()}]) ms`;

/** The processes of a panel with several hosts, a worker each, on a PostgreSQL and a Redis of their own. */
export class Fleet {
  readonly record = new Record();
  readonly members: readonly Member[];
  private readonly hostIds = new Map<HostName, number>();
  private readonly holders = new Map<number, number>();
  private readonly serverIds = new Map<string, number>();
  private readonly queues = new Map<string, Queue>();
  private readonly happened = new Map<string, number>();
  private world: World = { quick: [], free: true, reconciler: true };

  private constructor(
    readonly services: StoppableServices,
    readonly root: string,
    readonly settings: RunningSettings,
    readonly database: pg.Pool,
    readonly redis: Redis,
  ) {
    // Both are taken away at times.
    database.on('error', () => undefined);
    redis.on('error', () => undefined);
    const member = (name: string, more: Partial<RunningSettings>): Member =>
      new Member(name, Object.assign({}, settings, { root: path.join(root, name) }, more), {
        told: (by, message) => this.record.take(by, message),
        gone: (by, at) => this.record.gone(by, at),
      });
    this.members = [
      ...Array.from({ length: APIS }, (_, n) => member(`api-${n + 1}`, { workerEnabled: false })),
      ...hosts.map(({ name, places }) => member(name, { host: name, workerConcurrency: places })),
    ];
  }

  static async launch(): Promise<Fleet> {
    const services = await stoppableServices();
    const root = await mkdtemp(path.join(tmpdir(), 'left4me-chaos-'));
    const settings: RunningSettings = {
      databaseUrl: services.postgres.url,
      redisUrl: services.redis.url,
      redisPrefix: PREFIX,
      secretKey: randomBytes(32).toString('hex'),
      root,
      port: 0,
      bind: '127.0.0.1',
      publicUrl: null,
      trustedProxies: [],
      adminPassword: null,
      host: 'local',
      serviceManager: 'process',
      steamcmd: null,
      keptFiles: [],
      apiEnabled: true,
      workerEnabled: true,
      workerConcurrency: 16,
      pollerIntervalSeconds: 30,
      jobLogReplayLimit: 2000,
      keptRevisions: 5,
      trashDays: 30,
      // Nobody answers there.
      workshopUrl: 'http://127.0.0.1:1',
      workshopDownloads: 4,
    };
    const migrated = await openDatabase(settings.databaseUrl);
    await migrated.query(HOLD);
    await migrated.destroy();
    const database = new pg.Pool({ connectionString: settings.databaseUrl, max: 4 });
    const redis = new Redis({ ...redisConnection(settings.redisUrl), maxRetriesPerRequest: null });
    const fleet = new Fleet(services, root, settings, database, redis);
    for (const { name } of fleet.members) await mkdir(path.join(root, name));
    await fleet.startAll();
    await fleet.furnish();
    return fleet;
  }

  async startAll(): Promise<void> {
    await Promise.all(this.members.map((member) => this.start(member)));
  }

  /** Starts a member and tells it what the world is like. */
  async start(member: Member): Promise<void> {
    await member.start();
    member.tell({ kind: 'world', world: this.world });
  }

  /** Notes that something was done to the fleet. */
  count(what: string): void {
    this.happened.set(what, (this.happened.get(what) ?? 0) + 1);
  }

  /** What was done to it since it was last asked, in words. */
  counted(): string {
    const words = [...this.happened].map(([what, times]) => `${times} ${what}`).join(', ');
    this.happened.clear();
    return words || 'nothing was disturbed';
  }

  /** The worker's process of a host. */
  worker(host: HostName): Member {
    const found = this.members.find(({ name }) => name === host);
    if (!found) throw new Error(`no worker of ${host}`);
    return found;
  }

  hostId(host: HostName): number {
    return this.hostIds.get(host) ?? 0;
  }

  serverId(name: string): number {
    return this.serverIds.get(name) ?? 0;
  }

  /** The user whose transactions are held open for so long. */
  holder(ms: number): number {
    return this.holders.get(ms) ?? 0;
  }

  change(world: Partial<World>): void {
    this.world = { ...this.world, ...world };
    for (const member of this.members) member.tell({ kind: 'world', world: this.world });
  }

  /** New overlays without revisions, in the blueprints in place of the former ones. @returns their ids */
  async newOverlays(): Promise<number[]> {
    const name = randomBytes(6).toString('hex');
    const { rows } = await this.database.query<{ id: number }>(
      `INSERT INTO overlays (name) SELECT $1 || '-' || n FROM generate_series(1, $2) n RETURNING id`,
      [name, OVERLAYS],
    );
    const ids = rows.map(({ id }) => id);
    await this.database.query(`DELETE FROM blueprint_overlays`);
    for (const server of servers) {
      for (const [position, overlay] of server.overlays.entries()) {
        await this.database.query(
          `INSERT INTO blueprint_overlays (blueprint_id, position, overlay_id)
           SELECT blueprint_id, $2, $3 FROM servers WHERE id = $1`,
          [this.serverId(server.name), position, ids[overlay]],
        );
      }
    }
    const quick = servers.filter((server) => server.quick).map((server) => server.name);
    this.change({ quick: [...quick, String(ids[QUICK_OVERLAY])], free: false });
    return ids;
  }

  /** BullMQ's own view of a lane, as Bull board has it. */
  queue(host: HostName, lane: Lane): Queue {
    const name = `host-${this.hostId(host)}-${lane}`;
    const queue = this.queues.get(name) ?? new Queue(name, { connection: this.redis, prefix: PREFIX });
    if (!this.queues.has(name)) queue.on('error', () => undefined);
    this.queues.set(name, queue);
    return queue;
  }

  /** Everything that was told so far is in the record. */
  async told(): Promise<void> {
    await Promise.all(this.members.filter((member) => member.up).map((member) => member.ask({ kind: 'ping' })));
  }

  /** After an interleaving that went wrong: new processes, and nothing of it is left. */
  async reset(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    await this.services.postgres.start();
    await this.services.redis.start();
    await this.services.redis.flush();
    await this.database.query('TRUNCATE job_claims, job_log, jobs RESTART IDENTITY CASCADE');
    this.record.forget();
    for (const member of this.members) member.collapsed = false;
    await this.startAll();
  }

  async end(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    this.redis.disconnect();
    await this.database.end();
    await this.services.remove();
    await rm(this.root, { recursive: true, force: true });
  }

  private async furnish(): Promise<void> {
    const { rows } = await this.database.query<{ id: number; name: HostName }>('SELECT id, name FROM hosts');
    for (const { id, name } of rows) this.hostIds.set(name, id);
    const { rows: users } = await this.database.query<{ id: number; ms: number }>(
      `SELECT id, substring(name FROM '\\d+')::int AS ms FROM users`,
    );
    for (const { id, ms } of users) this.holders.set(ms, id);
    const passwords = new RconPasswords(this.settings);
    for (const [n, { name, host }] of servers.entries()) {
      const { rows: made } = await this.database.query<{ id: number }>(
        `WITH blueprint AS (INSERT INTO blueprints (owner_id, name) SELECT min(id), $1 FROM users RETURNING id, owner_id)
         INSERT INTO servers (name, title, port, host_id, blueprint_id, owner_id, rcon_password)
         SELECT $1, $1, $2, $3, id, owner_id, $4 FROM blueprint RETURNING id`,
        [name, 27_015 + n, this.hostId(host), passwords.generate()],
      );
      for (const { id } of made) this.serverIds.set(name, id);
    }
  }
}
