import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { openHost } from '@left4me/host';
import type { HostView } from '../../src/hosts/host.dto.js';
import type { ServerView } from '../../src/servers/server.dto.js';
import { z } from 'zod';
import type { MatrixPanel } from './matrix-panel.js';

const revisions = z.object({ items: z.array(z.object({ number: z.number(), current: z.boolean() })) });
const plan = z.object({ name: z.string(), root: z.string() });

type Host = Awaited<ReturnType<typeof openHost>>;

/** Says what is not as it should be after a crash, one sentence each; nothing: the system has converged. */
export class Truth {
  private host: Promise<Host> | null = null;

  constructor(private readonly panel: MatrixPanel) {}

  async untruths(): Promise<string[]> {
    const found = await Promise.all([this.jobs(), this.logs(), this.hosts(), this.servers(), this.overlay()]);
    return found.flat();
  }

  /** Twins in BullMQ that wait or run although their job has ended. A dead worker's come back to end within 10 s. */
  async leftTwins(): Promise<string[]> {
    const { redis } = this.panel;
    const found: string[] = [];
    for (const key of await redis.keys('left4me:host-1-*:job-*')) {
      const [, queue = '', twin = ''] = /^left4me:(host-1-[a-z]+):(job-\d+\.\d+)$/.exec(key) ?? [];
      if (twin === '') continue;
      const finished = await Promise.all(
        ['completed', 'failed'].map((set) => redis.zscore(`left4me:${queue}:${set}`, twin)),
      );
      if (finished.every((score) => score === null)) found.push(`${queue} holds the twin ${twin}`);
    }
    return found;
  }

  private async jobs(): Promise<string[]> {
    const { database } = this.panel;
    const unfinished = await database.query<{ id: number; operation: string; state: string }>(
      `SELECT id, operation, state FROM jobs WHERE finished_at IS NULL`,
    );
    const claims = await database.query<{ resource: string; job: number }>(
      `SELECT resource, job_id AS job FROM job_claims`,
    );
    return [
      ...unfinished.rows.map(({ id, operation, state }) => `job ${id}, ${operation}, is ${state}`),
      ...claims.rows.map(({ resource, job }) => `job ${job} claims ${resource}`),
    ];
  }

  private async logs(): Promise<string[]> {
    const { rows } = await this.panel.database.query<{ job: number }>(
      `SELECT job_id AS job FROM job_log GROUP BY job_id HAVING min(seq) <> 1 OR max(seq) <> count(*)`,
    );
    return rows.map(({ job }) => `the log of job ${job} has a gap`);
  }

  private async hosts(): Promise<string[]> {
    const { api, folder } = this.panel;
    const shown: HostView = (await api.admin.get('/api/v1/hosts/1').expect(200)).body;
    const installation = join(folder.root, 'installation');
    const names = await readdir(installation);
    const built = names.filter((name) => names.includes(`${name}.json`)).toSorted();
    const current = await readlink(join(installation, 'current'));
    const said = shown.builds.map(({ build }) => build).toSorted();
    return [
      ...(shown.online ? [] : ['the host is offline']),
      ...differ('the builds', said, built),
      ...differ('the current build', shown.currentBuild, current),
      ...differ('the install of the host', shown.job?.id ?? null, null),
    ];
  }

  private async servers(): Promise<string[]> {
    const { api, folder, database } = this.panel;
    const shown: ServerView[] = (await api.admin.get('/api/v1/servers?limit=100').expect(200)).body.items;
    this.host ??= openHost({ root: folder.root, serviceManager: 'process', assumeIsolation: 'namespaces' });
    const statuses = await (await this.host).status(shown.map(({ name }) => name));
    const rows = await database.query<{ name: string; generation: number | null }>(
      `SELECT name, generation FROM servers`,
    );
    const supervisors = await supervisedIn(folder.root);
    return statuses.flatMap(({ name, state, generation }) => [
      ...differ(`the state of ${name}`, shown.find((server) => server.name === name)?.actualState, state),
      ...differ(`the generation of ${name}`, rows.rows.find((row) => row.name === name)?.generation, generation),
      ...differ(
        `supervisors of ${name}`,
        supervisors.filter((one) => one === name).length,
        state === 'running' ? 1 : 0,
      ),
    ]);
  }

  /** A build that died after its rename has left a folder that no row names; the next build removes it. */
  private async overlay(): Promise<string[]> {
    const { api, overlayId, folder } = this.panel;
    const { items } = revisions.parse(
      (await api.admin.get(`/api/v1/overlays/${overlayId}/revisions`).expect(200)).body,
    );
    const names = await readdir(join(folder.root, 'overlays', String(overlayId)));
    const newest = Math.max(...items.map(({ number }) => number));
    return [
      ...items.flatMap(({ number }) =>
        names.includes(String(number)) ? [] : [`revision ${number} is not on the disk`],
      ),
      ...differ(
        'the current revision',
        items.filter(({ current }) => current).map(({ number }) => number),
        [newest],
      ),
    ];
  }
}

function differ(what: string, shown: unknown, real: unknown): string[] {
  const [a, b] = [JSON.stringify(shown), JSON.stringify(real)];
  return a === b ? [] : [`${what}: ${a} is shown, ${b} is so`];
}

/** The names of the servers whose supervisors live, one for each supervisor. */
async function supervisedIn(root: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return commands.flatMap((command) => {
    const [program, ...args] = command.split('\0');
    if (!program?.endsWith('node') || !args.some((arg) => arg.endsWith('/supervisor.js'))) return [];
    const given = plan.safeParse(JSON.parse(args.find((arg) => arg.startsWith('{')) ?? 'null'));
    return given.success && given.data.root === root ? [given.data.name] : [];
  });
}
