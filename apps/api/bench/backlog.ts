import type { JobRequest } from '../src/jobs/job-request.js';
import { Dispatcher } from '../src/jobs/queue/dispatcher.js';
import { atOnce } from './at-once.js';
import type { Bench } from './bench.js';
import { type Figure, figure } from './figure.js';
import { NoOpHost } from './no-op-host.js';
import { type Panel, startPanel } from './panel.js';
import { median } from './statistics.js';

const ROUNDS = 3;
const SERVERS = 50;
/** Jobs between two installs. */
const SEGMENT = 100;
/** How many such runs of jobs are timed in each round. */
const SEGMENTS = 5;
const BACKLOGS = [100, 2000, 20_000] as const;

/** Milliseconds per job, one number per segment, and for queueing all of them. */
interface Costs {
  run: number[];
  queue: number[];
}

/**
 * What a job costs with few and with many jobs queued. An install holds the line while it is filled. In it, every 100 server jobs are
 * followed by another install, which waits for all of them: from the end of one install to the beginning of the next the same 100 jobs
 * run on the same 50 servers, whatever is queued behind them. Only that is timed.
 */
export async function backlog(bench: Bench): Promise<Figure[]> {
  const costs = new Map(BACKLOGS.map((size): [number, Costs] => [size, { run: [], queue: [] }]));
  await measure(bench, 100, { run: [], queue: [] });
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const [size, cost] of costs) {
      bench.say(`backlog of ${size}, round ${round} of ${ROUNDS}`);
      await measure(bench, size, cost);
    }
  }
  const few = costs.get(100) ?? { run: [], queue: [] };
  return BACKLOGS.slice(1).flatMap((size) => {
    const many = costs.get(size) ?? few;
    const goal = size === 20_000 ? ({ of: 'ratio', atMost: 1.3 } as const) : null;
    const against = (kind: keyof Costs) => ({ name: 'with 100 queued', value: median(few[kind]) });
    return [
      figure(`job with ${size} queued`, median(many.run), 'ms/job', against('run'), goal),
      figure(`queueing ${size} jobs`, median(many.queue), 'ms/job', against('queue'), null),
    ];
  });
}

async function measure({ services }: Bench, size: number, costs: Costs): Promise<void> {
  const place = await services.place();
  const host = new NoOpHost();
  const panel = await startPanel(place, services.folder, host.open);
  const servers = await panel.servers(SERVERS);
  try {
    // So that connections are open and plans are made.
    await segments(panel, host, servers, 100, { run: [], queue: [] });
    if (size > SEGMENT) return await segments(panel, host, servers, size, costs);
    for (let n = 0; n < SEGMENTS; n += 1) await segments(panel, host, servers, size, costs);
  } finally {
    // What is still queued goes with the database.
    await panel.close();
    await place.remove();
  }
}

/** Fills the line while an install holds it, lets go and notes the segments' times. */
async function segments(
  panel: Panel,
  host: NoOpHost,
  servers: readonly number[],
  size: number,
  costs: Costs,
): Promise<void> {
  const install: JobRequest = { operation: 'install', hostId: panel.hostId, build: null, userId: null };
  const job = (n: number): JobRequest => {
    // Position 100, 201, … of the line is an install, as long as segments are timed.
    const isInstall = n % (SEGMENT + 1) === SEGMENT && n < SEGMENTS * (SEGMENT + 1);
    return isInstall ? install : { operation: 'stop', serverId: servers[n % servers.length] ?? 0, userId: null };
  };
  const timed = Math.min(SEGMENTS, size / SEGMENT);

  let release = () => {};
  host.installGate = new Promise((resolve) => (release = resolve));
  const held = new Promise<void>((resolve) => (host.onBegin = () => resolve()));
  await panel.jobs.enqueue(install);
  await held;
  const before = performance.now();
  await atOnce(size + timed, (n) => panel.jobs.enqueue(job(n)));
  costs.queue.push((performance.now() - before) / (size + timed));
  // All of them are in BullMQ too before the first is let go, as in a line that has been standing for a while.
  await panel.app.get(Dispatcher).dispatch();

  let from = 0;
  let left = timed;
  const over = new Promise<void>((resolve) => {
    host.onBegin = (kind) => {
      if (kind !== 'install') return;
      costs.run.push((performance.now() - from) / SEGMENT);
      left -= 1;
      if (left === 0) resolve();
    };
  });
  host.onEnd = (kind) => {
    if (kind === 'install') from = performance.now();
  };
  release();
  await over;
}
