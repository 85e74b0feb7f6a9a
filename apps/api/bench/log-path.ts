import pg from 'pg';
import { z } from 'zod';
import type { Bench } from './bench.js';
import { type Figure, figure } from './figure.js';
import { ownCpu, treeCpu } from './log-path/cpu.js';
import { LINE_BYTES } from './log-path/line.js';
import { JOBS, LINES } from './log-path/load.js';
import { type Program, startProgram } from './log-path/program.js';
import type { Services } from './services.js';
import { median } from './statistics.js';

const ROUNDS = 3;
const ALL_LINES = JOBS * LINES;

const panelSays = z.object({ url: z.string(), cookie: z.string(), servers: z.array(z.number()) });
const relaySays = z.object({ url: z.string() });
const readersSay = z.object({
  lost: z.number(),
  outOfOrder: z.number(),
  p50: z.number(),
  p99: z.number(),
  perSecond: z.number(),
});
const made = z.object({ id: z.number() });

/** What the readers saw, and the CPU seconds meanwhile. */
type Seen = z.infer<typeof readersSay> & { cpu: number };
type SeenOfPanel = Seen & { panelCpu: number; storedBytes: number; notStored: number };

/** 20 jobs at once, each with a child that writes 1,000 lines a second, stored and read live, against a relay that only passes on. */
export async function logPath({ services, say }: Bench): Promise<Figure[]> {
  const place = await services.place();
  const panel = await startProgram('panel-process.js', { place, folder: services.folder }, panelSays);
  const relay = await startProgram('../references/relay.js', null, relaySays);
  const database = new pg.Client({ connectionString: place.databaseUrl });
  await database.connect();
  const ours: SeenOfPanel[] = [];
  const bare: Seen[] = [];
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      say(round === 0 ? 'log path, warming up' : `log path, round ${round} of ${ROUNDS}`);
      const seen = [await throughPanel(panel, services, database), await throughRelay(relay)] as const;
      if (round === 0) continue;
      ours.push(seen[0]);
      bare.push(seen[1]);
    }
  } finally {
    await database.end();
    await relay.stop();
    await panel.stop();
    await place.remove();
  }
  return figures(ours, bare);
}

async function throughPanel(
  panel: Program<z.infer<typeof panelSays>>,
  services: Services,
  database: pg.Client,
): Promise<SeenOfPanel> {
  const { url, cookie, servers } = panel.said;
  const { postgres, redis } = services.processes;
  const cpu = async () => [await ownCpu(panel.pid), await treeCpu(postgres), await treeCpu(redis)] as const;
  const before = [await cpu(), await stored(database)] as const;
  const jobs = await Promise.all(servers.map((server) => stopServer(url, cookie, server)));
  const socket = `${url.replace('http', 'ws')}/api/v1/ws`;
  const readers = jobs.map((id) => ({ url: socket, cookie, subscribe: `job:${id}` }));
  const seen = await readAll(readers);
  const after = [await cpu(), await stored(database)] as const;
  const [panelCpu, postgresCpu, redisCpu] = after[0].map((seconds, n) => seconds - (before[0][n] ?? 0));
  return {
    ...seen,
    panelCpu: panelCpu ?? 0,
    cpu: (panelCpu ?? 0) + (postgresCpu ?? 0) + (redisCpu ?? 0),
    storedBytes: after[1].bytes - before[1].bytes,
    notStored: ALL_LINES - (after[1].lines - before[1].lines),
  };
}

async function throughRelay(relay: Program<z.infer<typeof relaySays>>): Promise<Seen> {
  const before = await ownCpu(relay.pid);
  const seen = await readAll(Array.from({ length: JOBS }, () => ({ url: relay.said.url })));
  return { ...seen, cpu: (await ownCpu(relay.pid)) - before };
}

/** @returns the job's id */
async function stopServer(url: string, cookie: string, server: number): Promise<number> {
  const headers = { cookie, 'content-type': 'application/json' };
  const body = JSON.stringify({ operation: 'stop' });
  const response = await fetch(`${url}/api/v1/servers/${server}/jobs`, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`a job was refused: ${await response.text()}`);
  return made.parse(await response.json()).id;
}

async function readAll(readers: unknown[]): Promise<z.infer<typeof readersSay>> {
  const program = await startProgram('readers.js', { readers, lines: LINES }, readersSay);
  await program.stop();
  return program.said;
}

const storedRow = z.tuple([z.object({ bytes: z.coerce.number(), lines: z.coerce.number() })]);

async function stored(database: pg.Client): Promise<{ bytes: number; lines: number }> {
  const { rows } = await database.query(
    `SELECT pg_total_relation_size('job_log') AS bytes, (SELECT count(*) FROM job_log WHERE stream = 'stdout') AS lines`,
  );
  return storedRow.parse(rows)[0];
}

function figures(ours: readonly SeenOfPanel[], bare: readonly Seen[]): Figure[] {
  const of = <T>(rounds: readonly T[], value: (round: T) => number) => median(rounds.map(value));
  const relay = (value: (round: Seen) => number) => ({ name: 'bare ws relay', value: of(bare, value) });
  const per100k = (value: number) => (value / ALL_LINES) * 100_000;
  const lost = ours.reduce((sum, round) => sum + Math.max(round.lost, round.notStored) + round.outOfOrder, 0);
  const cpu = relay((round) => per100k(round.cpu));
  const perSecond = relay((round) => round.perSecond);
  const text = { name: 'the lines themselves', value: LINE_BYTES / 10 };
  return [
    figure(
      'log lines per second',
      of(ours, (round) => round.perSecond),
      'lines/s',
      perSecond,
      null,
    ),
    figure('log lines lost', lost, 'lines', null, { of: 'value', atMost: 0 }),
    figure(
      'log path p50',
      of(ours, (round) => round.p50),
      'ms',
      relay((round) => round.p50),
      null,
    ),
    figure(
      'log path p99',
      of(ours, (round) => round.p99),
      'ms',
      relay((round) => round.p99),
      { of: 'value', atMost: 100 },
    ),
    figure(
      'log path CPU per 100,000 lines',
      of(ours, (round) => per100k(round.cpu)),
      's',
      cpu,
      { of: 'ratio', atMost: 3 },
    ),
    figure(
      'of it the panel process',
      of(ours, (round) => per100k(round.panelCpu)),
      's',
      cpu,
      null,
    ),
    figure('stored per 100,000 lines', of(ours, (round) => per100k(round.storedBytes)) / 1e6, 'MB', text, null),
  ];
}
