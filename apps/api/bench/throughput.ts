import { setTimeout as sleep } from 'node:timers/promises';
import type { JobRequest } from '../src/jobs/job-request.js';
import { atOnce } from './at-once.js';
import type { Bench } from './bench.js';
import { type Figure, figure } from './figure.js';
import { NoOpHost } from './no-op-host.js';
import { type Panel, startPanel } from './panel.js';
import { startBareBullmq } from './references/bare-bullmq.js';
import { startGraphile } from './references/graphile-worker.js';
import { median } from './statistics.js';
import { violations } from './violations.js';

const ROUNDS = 3;
const SERVERS = 50;
const JOBS_EACH = 40;
const JOBS = SERVERS * JOBS_EACH;

/** Queues everything at once; resolves when the last of it has ended. */
type Round = () => Promise<void>;

/** 50 servers × 40 jobs at once with an install in the middle, against two engines that promise less. */
export async function throughput({ services, say }: Bench): Promise<Figure[]> {
  const places = [await services.place(), await services.place()] as const;
  const host = new NoOpHost();
  const panel = await startPanel(places[0], services.folder, host.open);
  const servers = await panel.servers(SERVERS);
  const bullmq = await startBareBullmq(places[0]);
  const graphile = await startGraphile(places[1]);
  const perSecond = { ours: [] as number[], bullmq: [] as number[], graphile: [] as number[] };
  let wrong = 0;

  const install: JobRequest = { operation: 'install', hostId: panel.hostId, build: null, userId: null };
  const stop = (n: number): JobRequest => ({ operation: 'stop', serverId: servers[n % SERVERS] ?? 0, userId: null });
  const ours: Round = async () => {
    const last = ended(JOBS + 1, (end) => (host.onEnd = end));
    await atOnce(JOBS + 1, (n) => panel.jobs.enqueue(n === JOBS / 2 ? install : stop(n)));
    await last;
    await none(() => unfinished(panel));
  };
  const bare: Round = async () => {
    const last = ended(JOBS, (end) => (bullmq.onEnd = end));
    await atOnce(JOBS, (jobId) => bullmq.add({ jobId }));
    await last;
  };
  const named: Round = async () => {
    const last = ended(JOBS, (end) => (graphile.onBegin = end));
    await atOnce(JOBS, (n) => graphile.add(`server-${n % SERVERS}`));
    await last;
    await none(() => graphile.unfinished());
  };

  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      say(round === 0 ? 'throughput, warming up' : `throughput, round ${round} of ${ROUNDS}`);
      for (const [who, run] of [
        ['ours', ours],
        ['bullmq', bare],
        ['graphile', named],
      ] as const) {
        const from = performance.now();
        await run();
        if (round > 0) perSecond[who].push((JOBS / (performance.now() - from)) * 1000);
      }
    }
    wrong = await violations(panel.database, host, (ROUNDS + 1) * (JOBS + 1));
  } finally {
    await graphile.close();
    await bullmq.close();
    await panel.close();
    for (const place of places) await place.remove();
  }
  const value = median(perSecond.ours);
  const against = (name: string, rates: number[], atLeast: number) =>
    figure(`throughput beside ${name}`, value, 'jobs/s', { name, value: median(rates) }, { of: 'ratio', atLeast });
  return [
    against('bare BullMQ', perSecond.bullmq, 0.5),
    against('graphile-worker', perSecond.graphile, 1),
    figure('violations', wrong, 'jobs', null, { of: 'value', atMost: 0 }),
  ];
}

/** Resolves when the listener that it hands out has been called so many times. */
function ended(count: number, listen: (end: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    listen(() => {
      left -= 1;
      if (left === 0) resolve();
    });
  });
}

async function unfinished(panel: Panel): Promise<number> {
  const [{ count }] = await panel.database.query<[{ count: number }]>(
    'SELECT count(*)::int AS count FROM jobs WHERE finished_at IS NULL',
  );
  return count;
}

/** The last ends are being written when the last call is over. */
async function none(left: () => Promise<number>): Promise<void> {
  while ((await left()) > 0) await sleep(5);
}
