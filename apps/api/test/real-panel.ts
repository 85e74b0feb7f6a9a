import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import supertest from 'supertest';
import { ordinaryUser } from '../src/embedded/ordinary-user.js';
import type { JobView } from '../src/jobs/job.dto.js';
import type { ServerOperation } from '../src/jobs/job.entity.js';
import type { LogItem } from '../src/jobs/log/job-log.js';
import type { ServerView } from '../src/servers/server.dto.js';
import type { Agent } from './app.js';
import { cacheFolder } from './cache-folder.js';
import { eventually } from './eventually.js';

const PROGRAM = fileURLToPath(new URL('../dist/left4me.js', import.meta.url));
export const PASSWORD = 'correct horse battery';

/** A state folder of a test's own, and how to run the built left4me on it, the way `npm start` does. */
export class StateFolder {
  private constructor(
    readonly root: string,
    private readonly prefix: readonly string[],
  ) {}

  static async make(): Promise<StateFolder> {
    const root = await mkdtemp(join(tmpdir(), 'left4me-real-'));
    const user = await ordinaryUser();
    if (user.owner) await chown(root, user.owner.uid, user.owner.gid);
    else {
      // Redis has been fetched for the tests' own services already, where the machine has none.
      await mkdir(join(root, 'cache'));
      await symlink(await cacheFolder(), join(root, 'cache', 'packages'));
    }
    return new StateFolder(root, user.prefix);
  }

  /** Starts a command of left4me; it ends with the test at the latest. */
  run(command: readonly string[], env: Record<string, string>): ChildProcess {
    const argv = [...this.prefix, 'setpriv', '--pdeathsig', 'TERM', '--', process.execPath, PROGRAM, ...command];
    const [program = '', ...args] = argv;
    const { PATH = '', HOME = '/' } = process.env;
    return spawn(program, args, { cwd: '/', stdio: 'pipe', env: { PATH, HOME, LEFT4ME_ROOT: this.root, ...env } });
  }

  /** Runs a command of left4me to its end. */
  async finish(command: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
    const child = this.run(command, env);
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    await once(child, 'close');
    return { code: child.exitCode, stdout: stdout(), stderr: stderr() };
  }

  /** Every process that was started for this folder: services, supervisors, launchers. */
  async processes(): Promise<{ pid: number; command: string }[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(
      pids.map(async (name) => {
        const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
        return { pid: Number(name), command: line.replaceAll('\0', ' ') };
      }),
    );
    return found.filter(({ command }) => command.includes(this.root));
  }

  /** Ends whatever of it still runs, servers too, and removes it. */
  async remove(): Promise<void> {
    await eventually('every process of the panel is gone', async () => {
      const left = await this.processes();
      for (const { pid } of left) killIfThere(pid);
      return left.length === 0;
    });
    // overlayfs makes folders that nobody may enter.
    spawnSync('chmod', ['-R', 'u+rwX', this.root]);
    await rm(this.root, { recursive: true, force: true });
  }
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The whole product as somebody runs it: a process of the built program, with embedded services and the demo runtime. */
export class RealPanel {
  private child: ChildProcess | null = null;
  /** What it has printed since its start. */
  said: () => string = () => '';
  /** The admin's session, which outlives restarts. */
  readonly admin: Agent;
  cookie = '';

  /** A panel that is to run on that folder. */
  constructor(
    readonly folder: StateFolder,
    readonly port: number,
    private readonly env: Record<string, string> = {},
  ) {
    this.admin = supertest.agent(this.url);
  }

  /** A running panel as it is after its first start, with nothing in it but its admin. */
  static async empty(env: Record<string, string> = {}): Promise<RealPanel> {
    const given = { LEFT4ME_ADMIN_PASSWORD: PASSWORD, ...env };
    const panel = new RealPanel(await StateFolder.make(), await freePort(), given);
    await panel.start();
    return panel;
  }

  /** A running panel with the demo runtime installed. */
  static async make(env: Record<string, string> = {}): Promise<RealPanel> {
    const panel = await RealPanel.empty(env);
    await panel.logIn('admin', PASSWORD);
    const install = await panel.ended((await panel.install()).id);
    if (install.state !== 'succeeded') throw new Error(`the demo runtime was not installed: ${install.error}`);
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
    if (!this.child?.pid) throw new Error('the panel does not run');
    return this.child.pid;
  }

  /** Resolves when the panel listens. */
  async start(): Promise<void> {
    const child = this.folder.run(['serve'], { LEFT4ME_PORT: String(this.port), ...this.env });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    this.child = child;
    this.said = () => `${stdout()}${stderr()}`;
    await eventually(
      'the panel runs',
      () => {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended:\n${this.said()}`);
        return stdout().includes('left4me is running');
      },
      60,
    );
  }

  /** Stops the panel, or kills it. @returns its exit code */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null> {
    const { child } = this;
    if (!child) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit');
      child.kill(signal);
      await exit;
    }
    this.child = null;
    return child.exitCode;
  }

  /** Ends everything, servers too. */
  async close(): Promise<void> {
    await this.end('SIGTERM');
    await this.folder.remove();
  }

  async install(build?: string): Promise<JobView> {
    const body = { operation: 'install', ...(build === undefined ? {} : { build }) };
    return (await this.admin.post('/api/v1/hosts/1/jobs').send(body).expect(202)).body;
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

/** A port that is free for the game (UDP) and for RCON (TCP), out of the range that the system gives away by itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if ((await isFreeForTcp(port)) && (await isFreeForUdp(port))) return port;
  }
}

function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}

function isFreeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '0.0.0.0', () => socket.close(() => resolve(true)));
  });
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: string[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return () => chunks.join('');
}
