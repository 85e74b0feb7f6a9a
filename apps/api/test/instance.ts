import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { rcon } from './source-client.js';

/** A server's line as it is on the disk, told apart by where it is. */
export interface DiskLine {
  /** As the API names it: `<segment>-<byte offset + 1>`. */
  position: string;
  line: string;
}

const processId = z.object({ pid: z.number() });
const runRecord = z.object({
  supervisor: processId,
  launcher: processId.nullable(),
  server: processId.nullable(),
  endedAt: z.string().nullable(),
});

/** A server as it is on its host, looked at without the panel: on the disk, in the process table, over RCON. */
export class Instance {
  constructor(
    private readonly root: string,
    private readonly name: string,
    private readonly port: number,
  ) {}

  get folder(): string {
    return join(this.root, 'instances', this.name);
  }

  /** Process ids of the running server and of those that watch over it. */
  async pids(): Promise<{ supervisor: number; launcher: number; server: number }> {
    const { supervisor, launcher, server } = await this.run();
    if (!launcher || !server) throw new Error(`${this.name} does not run`);
    return { supervisor: supervisor.pid, launcher: launcher.pid, server: server.pid };
  }

  /** When its last run ended (ms), as what watched over it has written down. */
  async endedAt(): Promise<number> {
    return Date.parse((await this.run()).endedAt ?? '');
  }

  /** A path in the server's own mount. */
  async inside(path: string): Promise<string> {
    return join(`/proc/${(await this.pids()).server}/root/game`, path);
  }

  private async run(): Promise<z.infer<typeof runRecord>> {
    return runRecord.parse(JSON.parse(await readFile(join(this.folder, 'run.json'), 'utf8')));
  }

  /** Runs a console command with the password that is in the server's own server.cfg. */
  async rcon(command: string): Promise<string> {
    const config = await readFile(join(this.folder, 'current/config/left4dead2/cfg/server.cfg'), 'utf8');
    // What is set last, counts.
    const password = [...config.matchAll(/^rcon_password "([^"]+)"$/gm)].at(-1)?.[1];
    if (password === undefined) throw new Error(`${this.name} has no RCON password`);
    return rcon(this.port, password, command);
  }

  /** All complete lines of the log segments, in order. */
  async lines(): Promise<DiskLine[]> {
    const folder = join(this.folder, 'log');
    const segments = (await readdir(folder)).map((file) => Number.parseInt(file, 10)).sort((a, b) => a - b);
    const lines: DiskLine[] = [];
    for (const segment of segments) {
      const bytes = await readFile(join(folder, `${segment}.log`));
      for (let at = 0, end = bytes.indexOf(10); end >= 0; at = end + 1, end = bytes.indexOf(10, at)) {
        // `<milliseconds> <o|e> <text>`
        const line = bytes.toString('utf8', at, end).replace(/^\d+ [oe] /, '');
        lines.push({ position: `${segment}-${at + 1}`, line });
      }
    }
    return lines;
  }
}

/** An srcds_run that prints numbered lines beside what the demo server prints. */
export const TICKING = `#!/bin/sh
(i=0; while :; do i=$((i+1)); echo "tick $i"; sleep 0.05; done) &
exec ./bin/demo-node --max-old-space-size=48 ./bin/srcds.mjs "$@"
`;

/** The numbers of the ticks among lines. */
export function ticksOf(lines: readonly { line: string }[]): number[] {
  return lines.flatMap(({ line }) => {
    const number = /^tick (\d+)$/.exec(line)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}
