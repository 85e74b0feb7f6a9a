import type { Socket } from 'node:net';
import type { AppOptions } from '../src/app.js';
import type { RunningSettings } from '../src/config/settings.js';
import type { JobView } from '../src/jobs/job.dto.js';
import type { JobState, ServerOperation } from '../src/jobs/job.entity.js';
import { Jobs } from '../src/jobs/jobs.service.js';
import type { LogItem } from '../src/jobs/log/job-lines.js';
import { RedisConnections } from '../src/redis/redis.js';
import { startApp, type TestApp } from './app.js';
import { eventually } from './eventually.js';
import { StandInHost } from './stand-in-host.js';

/** A panel with its worker on a stand-in of the machine, and servers that can be started. */
export interface QueuePanel extends TestApp {
  host: StandInHost;
  hostId: number;
  jobs: Jobs;
  /** Makes a server, all on one blueprint unless told otherwise. */
  server(name: string, blueprintId?: number): Promise<number>;
  /** Queues a job over REST. */
  queue(server: string | number, operation: ServerOperation): Promise<JobView>;
  install(): Promise<JobView>;
  job(id: number): Promise<JobView>;
  /** Waits until the job is in one of the states. */
  reaches(id: number, ...states: JobState[]): Promise<JobView>;
  /** Waits for the job's end. */
  ended(id: number): Promise<JobView>;
  log(id: number): Promise<LogItem[]>;
  /** Removes everything the panel has in Redis, as FLUSHALL would. */
  forgetRedis(): Promise<void>;
  /** Cuts every open connection, as a proxy that restarts does. */
  dropConnections(): void;
}

export async function startQueue(
  overrides: Partial<RunningSettings> = {},
  host: StandInHost = new StandInHost(),
  options: AppOptions = {},
): Promise<QueuePanel> {
  const panel = await startApp({ workerEnabled: true, ...overrides }, { ...options, openHost: host.open });
  const sockets = new Set<Socket>();
  panel.app.getHttpServer().on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const [{ id: hostId }] = await panel.database.query<[{ id: number }]>(`SELECT id FROM hosts WHERE name = 'local'`);
  const { body: blueprint } = await panel.admin.post('/api/v1/blueprints').send({ name: 'shared' }).expect(201);
  const job = async (id: number): Promise<JobView> => (await panel.admin.get(`/api/v1/jobs/${id}`).expect(200)).body;
  const reaches = async (id: number, ...states: JobState[]): Promise<JobView> => {
    let seen = await job(id);
    await eventually(`job ${id} ${states.join('|')}, it is ${seen.state}`, async () => {
      seen = await job(id);
      return states.includes(seen.state);
    });
    return seen;
  };
  return {
    ...panel,
    host,
    hostId,
    jobs: panel.app.get(Jobs),
    server: async (name, blueprintId = blueprint.id) =>
      (await panel.admin.post('/api/v1/servers').send({ name, blueprintId }).expect(201)).body.id,
    queue: async (server, operation) =>
      (await panel.admin.post(`/api/v1/servers/${server}/jobs`).send({ operation }).expect(202)).body,
    install: async () =>
      (await panel.admin.post(`/api/v1/hosts/${hostId}/jobs`).send({ operation: 'install' }).expect(202)).body,
    job,
    reaches,
    ended: (id) => reaches(id, 'succeeded', 'failed', 'cancelled'),
    dropConnections: () => {
      for (const socket of sockets) socket.destroy();
    },
    forgetRedis: async () => {
      const { commands, prefix } = panel.app.get(RedisConnections);
      const keys = await commands.keys(`${prefix}:*`);
      if (keys.length > 0) await commands.del(keys);
    },
    log: async (id) => (await panel.admin.get(`/api/v1/jobs/${id}/logs`).expect(200)).body.items,
  };
}
