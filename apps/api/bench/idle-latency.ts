import { setTimeout as sleep } from 'node:timers/promises';
import { JobEnds } from '../src/jobs/job-ends.js';
import type { Bench } from './bench.js';
import { type Figure, figure } from './figure.js';
import { NoOpHost } from './no-op-host.js';
import { startPanel } from './panel.js';
import { startBareBullmq } from './references/bare-bullmq.js';
import { median, percentile } from './statistics.js';

const ROUNDS = 5;
const SAMPLES = 100;
const WARM_UP = 50;

/** Milliseconds from just before a job is queued to the beginning of what it does. */
type Sample = () => Promise<number>;

/** One job at a time: from `Jobs.enqueue()` to the host's call, against BullMQ's `add` to its processor. */
export async function idleLatency({ services, say }: Bench): Promise<Figure[]> {
  const place = await services.place();
  const host = new NoOpHost();
  const panel = await startPanel(place, services.folder, host.open);
  const bullmq = await startBareBullmq(place);
  const [serverId = 0] = await panel.servers(1);
  const ends = panel.app.get(JobEnds);
  const never = new AbortController().signal;

  const ours: Sample = async () => {
    const begun = new Promise<number>((resolve) => (host.onBegin = () => resolve(performance.now())));
    const from = performance.now();
    const job = await panel.jobs.enqueue({ operation: 'stop', serverId, userId: null });
    const took = (await begun) - from;
    await ends.wait(job.id, 10_000, never);
    return took;
  };
  const bare: Sample = async () => {
    const begun = new Promise<number>((resolve) => (bullmq.onBegin = () => resolve(performance.now())));
    const ended = new Promise<void>((resolve) => (bullmq.onEnd = resolve));
    const from = performance.now();
    await bullmq.add({ jobId: 1 });
    const took = (await begun) - from;
    await ended;
    return took;
  };

  const rounds = { ours: [] as number[][], bare: [] as number[][] };
  try {
    for (const sample of [ours, bare]) await samples(sample, WARM_UP);
    for (let round = 1; round <= ROUNDS; round += 1) {
      say(`idle latency, round ${round} of ${ROUNDS}`);
      rounds.ours.push(await samples(ours, SAMPLES));
      rounds.bare.push(await samples(bare, SAMPLES));
    }
  } finally {
    await bullmq.close();
    await panel.close();
    await place.remove();
  }
  return [0.5, 0.95].map((share) => {
    const of = (took: readonly number[][]) => median(took.map((round) => percentile(round, share)));
    const reference = { name: 'bare BullMQ', value: of(rounds.bare) };
    return figure(`idle latency p${share * 100}`, of(rounds.ours), 'ms', reference, { of: 'ratio', atMost: 3 });
  });
}

/** One after the other, each after a pause of random length, so that nothing falls into step with a timer. */
async function samples(sample: Sample, count: number): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < count; n += 1) {
    await sleep(5 + Math.random() * 20);
    took.push(await sample());
  }
  return took;
}
