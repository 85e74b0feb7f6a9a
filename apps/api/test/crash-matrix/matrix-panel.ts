import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { redisConnection } from '../../src/config/redis-connection.js';
import type { JobView } from '../../src/jobs/job.dto.js';
import type { JobState, Operation, ServerOperation } from '../../src/jobs/job.entity.js';
import { laneOf } from '../../src/jobs/queue/lanes.js';
import { queueName, twinId } from '../../src/jobs/queue/twins.js';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { PanelProcess } from '../panel-process.js';
import { PASSWORD, RealPanel } from '../real-panel.js';
import { StateFolder } from '../state-folder.js';
import { type StoppableServices, stoppableServices } from '../stoppable-services.js';
import { Faults } from './faults.js';
import { FaultyBuild } from './faulty-build.js';

/** What every operation is done to: a server of its own, the overlay, or the host. */
const serverOf: Record<ServerOperation, string> = {
  initialize: 'initialized',
  start: 'started',
  stop: 'stopped',
  restart: 'restarted',
  delete: 'deleted',
};

export interface JobRow {
  id: number;
  state: JobState;
  error: string | null;
  exitCode: number | null;
}

/** An API process and a worker process of the built program, both with fault points, on services of their own. */
export class MatrixPanel {
  private edits = 0;
  private builds = 0;

  private constructor(
    private readonly build: FaultyBuild,
    readonly services: StoppableServices,
    readonly folder: StateFolder,
    readonly api: RealPanel,
    readonly worker: PanelProcess,
    readonly faults: { api: Faults; worker: Faults },
    readonly database: pg.Client,
    readonly redis: Redis,
    readonly overlayId: number,
  ) {}

  static async make(): Promise<MatrixPanel> {
    const services = await stoppableServices();
    const build = await FaultyBuild.make();
    const folder = await StateFolder.make(build.program);
    const faults = {
      api: await Faults.in(join(folder.root, 'faults', 'api')),
      worker: await Faults.in(join(folder.root, 'faults', 'worker')),
    };
    const given = {
      DATABASE_URL: services.postgres.url,
      REDIS_URL: services.redis.url,
      SECRET_KEY: randomBytes(32).toString('hex'),
      LEFT4ME_ADMIN_PASSWORD: PASSWORD,
    };
    const api = new RealPanel(folder, await freePort(), { ...given, ...faults.api.env }, ['--role', 'api']);
    const worker = new PanelProcess(folder, ['--role', 'worker'], { ...given, ...faults.worker.env });
    await Promise.all([api.start(), worker.start()]);
    await api.logIn('admin', PASSWORD);
    const installed = await api.ended((await api.install()).id);
    if (installed.state !== 'succeeded') throw new Error(`not installed: ${installed.error}`);
    const overlayId = await api.overlay('maps', { 'left4dead2/addons/map.txt': 'a map' });
    const blueprintId = await api.blueprint('shared', [overlayId]);
    for (const name of Object.values(serverOf)) await api.server(name, blueprintId);
    const database = new pg.Client({ connectionString: services.postgres.url });
    await database.connect();
    const redis = new Redis(redisConnection(services.redis.url));
    return new MatrixPanel(build, services, folder, api, worker, faults, database, redis, overlayId);
  }

  async close(): Promise<void> {
    await Promise.all([this.api.end('SIGKILL'), this.worker.end('SIGKILL')]);
    await this.database.end();
    this.redis.disconnect();
    await this.folder.remove();
    await this.services.remove();
    await this.build.remove();
  }

  process(role: 'api' | 'worker'): RealPanel | PanelProcess {
    return role === 'api' ? this.api : this.worker;
  }

  /** After a cell that failed somewhere. */
  async mend(): Promise<void> {
    await Promise.all([this.faults.api.release(), this.faults.worker.release()]);
    if (!this.api.running) await this.api.start();
    if (!this.worker.running) await this.worker.start();
    await eventually('every job has ended', async () => {
      const { rows } = await this.database.query(`SELECT FROM jobs WHERE finished_at IS NULL`);
      return rows.length === 0;
    });
  }

  /** Makes what the operation needs before it. */
  async prepare(operation: Operation): Promise<void> {
    // Unchanged, it would publish nothing.
    if (operation === 'build-overlay') await this.edit();
    if (operation === 'install' || operation === 'build-overlay' || operation === 'initialize') return;
    const server = serverOf[operation];
    const running = (await this.api.get(server)).actualState === 'running';
    if (running === (operation !== 'start')) return;
    const job = await this.api.do(server, running ? 'stop' : 'start');
    if (job.state !== 'succeeded') throw new Error(`${server} could not ${job.operation}: ${job.error}`);
  }

  /** Where the operation is queued, and with what. */
  request(operation: Operation, newBuild = false): { path: string; body: Record<string, string> } {
    switch (operation) {
      case 'install':
        this.builds += newBuild ? 1 : 0;
        return {
          path: '/api/v1/hosts/1/jobs',
          body: { operation, ...(newBuild ? { build: `new-${this.builds}` } : {}) },
        };
      case 'build-overlay':
        return { path: `/api/v1/overlays/${this.overlayId}/builds`, body: {} };
      case 'initialize':
      case 'start':
      case 'stop':
      case 'restart':
      case 'delete':
        return { path: `/api/v1/servers/${serverOf[operation]}/jobs`, body: { operation } };
    }
  }

  async queue(operation: Operation, newBuild = false): Promise<JobView> {
    const { path, body } = this.request(operation, newBuild);
    return (await this.api.admin.post(path).send(body).expect(202)).body;
  }

  /** A job that is ahead of the operation's in the line, and quick. */
  async queueAhead(operation: Operation): Promise<JobView> {
    if (operation === 'install' || operation === 'build-overlay') return this.queue(operation);
    return this.api.queue(serverOf[operation], 'initialize');
  }

  /** A job for the same subject after it all, which has to succeed; it makes what the operation's next cell needs. */
  async another(operation: Operation): Promise<JobView> {
    if (operation === 'build-overlay') await this.edit();
    if (operation === 'install' || operation === 'build-overlay' || operation === 'initialize') {
      return this.api.ended((await this.queue(operation)).id);
    }
    return this.api.do(serverOf[operation], operation === 'start' ? 'stop' : 'start');
  }

  /** The POST of a script that may be sent again: null when the connection broke. */
  async post(
    path: string,
    body: Record<string, string>,
    key: string,
  ): Promise<{ status: number; text: string } | null> {
    const headers = { 'Content-Type': 'application/json', Cookie: this.api.cookie, 'Idempotency-Key': key };
    try {
      const response = await fetch(`${this.api.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      return { status: response.status, text: await response.text() };
    } catch {
      return null;
    }
  }

  newKey(): string {
    return randomUUID();
  }

  async row(id: number): Promise<JobRow> {
    const { rows } = await this.database.query<JobRow>(
      `SELECT id, state, error, exit_code AS "exitCode" FROM jobs WHERE id = $1`,
      [id],
    );
    const [row] = rows;
    if (!row) throw new Error(`there is no job ${id}`);
    return row;
  }

  async lastJobId(): Promise<number> {
    const { rows } = await this.database.query<{ id: number }>(`SELECT coalesce(max(id), 0) AS id FROM jobs`);
    return rows[0]?.id ?? 0;
  }

  async jobsAfter(id: number): Promise<JobRow[]> {
    const { rows } = await this.database.query<JobRow>(
      `SELECT id, state, error, exit_code AS "exitCode" FROM jobs WHERE id > $1 ORDER BY id`,
      [id],
    );
    return rows;
  }

  /** Resolves when the job's twin waits in BullMQ. */
  async parked({ id, operation }: JobView): Promise<void> {
    const key = `left4me:${queueName(1, laneOf(operation))}:${twinId({ id, twin: 0 })}`;
    await eventually(`the twin of job ${id} is parked`, async () => (await this.redis.exists(key)) === 1);
  }

  private edit(): Promise<void> {
    this.edits += 1;
    return this.api.edit(this.overlayId, { 'left4dead2/addons/map.txt': `map ${this.edits}` });
  }
}
