import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import supertest from 'supertest';
import type { JobView } from '../src/jobs/job.dto.js';
import type { ServerOperation } from '../src/jobs/job.entity.js';
import type { LogItem } from '../src/jobs/log/job-lines.js';
import type { ServerView } from '../src/servers/server.dto.js';
import type { Agent } from './app.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { PanelProcess } from './panel-process.js';
import { fillPrepared } from './prepared-state.js';
import { StateFolder } from './state-folder.js';

export const PASSWORD = 'correct horse battery';

/** The whole product as somebody runs it: a process of the built program, with embedded services and the demo runtime. */
export class RealPanel {
  private readonly process: PanelProcess;
  /** The admin's session, which outlives restarts. */
  readonly admin: Agent;
  cookie = '';

  /** A panel that is to run on that folder. */
  constructor(
    readonly folder: StateFolder,
    readonly port: number,
    env: Record<string, string> = {},
    command: readonly string[] = ['serve'],
  ) {
    this.process = new PanelProcess(folder, command, { LEFT4ME_PORT: String(port), ...env });
    this.admin = supertest.agent(this.url);
  }

  /** A running panel as it is after its first start, with nothing in it but its admin. */
  static async empty(env: Record<string, string> = {}): Promise<RealPanel> {
    return RealPanel.started(await StateFolder.make(), env);
  }

  /** A running panel with the demo runtime installed; it began as a copy of one that was made so. */
  static async make(env: Record<string, string> = {}): Promise<RealPanel> {
    const folder = await StateFolder.make();
    await fillPrepared(folder.root, async () => {
      const first = await RealPanel.empty();
      await first.logIn('admin', PASSWORD);
      const install = await first.ended((await first.install()).id);
      if (install.state !== 'succeeded') throw new Error(`the demo runtime was not installed: ${install.error}`);
      await first.end('SIGTERM');
      return first.root;
    });
    const panel = await RealPanel.started(folder, env);
    await panel.logIn('admin', PASSWORD);
    return panel;
  }

  private static async started(folder: StateFolder, env: Record<string, string>): Promise<RealPanel> {
    const panel = new RealPanel(folder, await freePort(), { LEFT4ME_ADMIN_PASSWORD: PASSWORD, ...env });
    await panel.start();
    return panel;
  }

  async logIn(username: string, password: string): Promise<void> {
    const { headers } = await this.admin.post('/api/v1/auth/login').send({ username, password }).expect(200);
    this.cookie = String(headers['set-cookie']).split(';')[0] ?? '';
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get root(): string {
    return this.folder.root;
  }

  /** The panel itself, while it runs. */
  get pid(): number {
    return this.process.pid;
  }

  get running(): boolean {
    return this.process.running;
  }

  launch(): void {
    this.process.launch();
  }

  /** What it has printed since its start. */
  said(): string {
    return this.process.said();
  }

  /** Resolves when the panel listens. */
  start(): Promise<void> {
    return this.process.start();
  }

  /** Stops the panel, or kills it. @returns its exit code */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null> {
    return this.process.end(signal);
  }

  /** Ends everything, servers too. */
  async close(): Promise<void> {
    await this.end('SIGTERM');
    await this.folder.remove();
  }

  async install(build?: string, hostId = 1): Promise<JobView> {
    const body = { operation: 'install', ...(build === undefined ? {} : { build }) };
    return (await this.admin.post(`/api/v1/hosts/${hostId}/jobs`).send(body).expect(202)).body;
  }

  /** Makes an overlay of these files, without publishing it. */
  async draft(name: string, files: Record<string, string>): Promise<number> {
    const { body } = await this.admin.post('/api/v1/overlays').send({ name, catalog: true }).expect(201);
    await this.edit(body.id, files);
    return body.id;
  }

  async edit(overlayId: number, files: Record<string, string>): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      const target = `/api/v1/overlays/${overlayId}/files/content?path=${encodeURIComponent(path)}`;
      await this.admin
        .put(target)
        .set('Content-Type', 'application/octet-stream')
        .send(Buffer.from(content))
        .expect(200);
      // Uploads are never executable, as yet; an overlay that brings a program is put there by somebody at the machine.
      if (path === 'srcds_run') await chmod(join(this.root, 'drafts', String(overlayId), path), 0o755);
    }
  }

  async build(overlayId: number): Promise<JobView> {
    const { body } = await this.admin.post(`/api/v1/overlays/${overlayId}/builds`).expect(202);
    return this.ended(body.id);
  }

  /** Makes an overlay of these files and publishes it. */
  async overlay(name: string, files: Record<string, string>): Promise<number> {
    const id = await this.draft(name, files);
    const built = await this.build(id);
    if (built.state !== 'succeeded') throw new Error(`${name} was not built: ${built.error}`);
    return id;
  }

  /** @param overlays topmost first */
  async blueprint(name: string, overlays: number[] = [], more: Record<string, unknown> = {}): Promise<number> {
    const places = overlays.map((overlayId) => ({ overlayId }));
    return (
      await this.admin
        .post('/api/v1/blueprints')
        .send({ name, overlays: places, ...more })
        .expect(201)
    ).body.id;
  }

  /** Makes a server on a port that is free on this machine. */
  async server(name: string, blueprintId: number, more: Record<string, unknown> = {}): Promise<ServerView> {
    const body = { name, blueprintId, port: await freePort(), ...more };
    return (await this.admin.post('/api/v1/servers').send(body).expect(201)).body;
  }

  async queue(server: string, operation: ServerOperation): Promise<JobView> {
    return (await this.admin.post(`/api/v1/servers/${server}/jobs`).send({ operation }).expect(202)).body;
  }

  /** Queues a job and waits for its end. */
  async do(server: string, operation: ServerOperation): Promise<JobView> {
    return this.ended((await this.queue(server, operation)).id);
  }

  /** Starts a server and waits until it is ready. */
  async startServer(name: string): Promise<ServerView> {
    const job = await this.do(name, 'start');
    if (job.state !== 'succeeded') throw new Error(`${name} was not started: ${job.error}`);
    return this.reaches(name, { actualState: 'running', ready: true });
  }

  async get(server: string): Promise<ServerView> {
    return (await this.admin.get(`/api/v1/servers/${server}`).expect(200)).body;
  }

  /** Waits until the server is as wanted. */
  async reaches(server: string, wanted: Partial<ServerView>): Promise<ServerView> {
    let seen = await this.get(server);
    const matches = (): boolean =>
      Object.entries(wanted).every(([key, value]) => Object.entries(seen).some(([k, v]) => k === key && v === value));
    await eventually(
      () => `${server} ${JSON.stringify(wanted)}, it is ${JSON.stringify(seen)}`,
      async () => {
        seen = await this.get(server);
        return matches();
      },
    );
    return seen;
  }

  async job(id: number): Promise<JobView> {
    return (await this.admin.get(`/api/v1/jobs/${id}`).expect(200)).body;
  }

  async ended(id: number): Promise<JobView> {
    const job: JobView = (await this.admin.get(`/api/v1/jobs/${id}?wait=60`).expect(200)).body;
    if (job.finishedAt === null) throw new Error(`job ${id} is still ${job.state} after 60 s`);
    return job;
  }

  async jobLog(id: number): Promise<LogItem[]> {
    return (await this.admin.get(`/api/v1/jobs/${id}/logs?limit=10000`).expect(200)).body.items;
  }
}
