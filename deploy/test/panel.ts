import { z } from 'zod';
import { eventually } from './eventually.js';

const job = z.object({ id: z.number(), state: z.string(), error: z.string().nullable() });
const made = z.object({ id: z.number() });
const server = z.object({
  actualState: z.string(),
  actualStateAt: z.iso.datetime().nullable(),
  desiredState: z.string(),
  lastError: z.string().nullable(),
  usage: z.object({ cpuLimitPercent: z.number().nullable() }).nullable(),
});
const logs = z.object({
  items: z.array(z.object({ position: z.string(), line: z.string() })),
  nextCursor: z.string().nullable().optional(),
});
export type Job = z.infer<typeof job>;
export type LogLine = z.infer<typeof logs>['items'][number];

/** The REST API as a script uses it, over the network. */
export class Panel {
  private cookie = '';

  constructor(private readonly url: string) {}

  async logIn(username: string, password: string): Promise<void> {
    const response = await fetch(`${this.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username, password }),
    });
    if (!response.ok) throw new Error(`login: ${response.status} ${await response.text()}`);
    this.cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  }

  /** An answer of 2xx; anything else is thrown. */
  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const bytes = typeof body === 'string';
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        Cookie: this.cookie,
        ...(body === undefined ? {} : { 'Content-Type': bytes ? 'application/octet-stream' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: bytes ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  /** What a route sends as a file. */
  async download(path: string): Promise<string> {
    const response = await fetch(`${this.url}/api/v1${path}`, { headers: { Cookie: this.cookie } });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return response.text();
  }

  async make(collection: string, body: unknown): Promise<number> {
    return made.parse(await this.ask('POST', `/${collection}`, body)).id;
  }

  /** Queues a job. */
  async queue(path: string, body?: unknown): Promise<number> {
    return made.parse(await this.ask('POST', path, body)).id;
  }

  async job(id: number): Promise<Job> {
    return job.parse(await this.ask('GET', `/jobs/${id}`));
  }

  /** Waits for a job's end. */
  async ended(id: number, seconds = 60): Promise<Job> {
    let seen = await this.job(id);
    await eventually(
      () => `job ${id} ends; it is ${seen.state}`,
      async () => {
        seen = await this.job(id);
        return ['succeeded', 'failed', 'cancelled'].includes(seen.state);
      },
      seconds,
    );
    return seen;
  }

  /** Queues a job and expects its success. */
  async does(path: string, body?: unknown): Promise<void> {
    const { state, error } = await this.ended(await this.queue(path, body));
    if (state !== 'succeeded') throw new Error(`${path} ${JSON.stringify(body)}: ${state}, ${error}`);
  }

  async server(name: string): Promise<z.infer<typeof server>> {
    return server.parse(await this.ask('GET', `/servers/${name}`));
  }

  /** The last lines of a server, or those after a position. */
  async logs(name: string, query: string): Promise<LogLine[]> {
    return logs.parse(await this.ask('GET', `/servers/${name}/logs?${query}`)).items;
  }
}
