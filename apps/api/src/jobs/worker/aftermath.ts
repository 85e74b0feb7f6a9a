import { setTimeout as sleep } from 'node:timers/promises';
import type { InstanceStatus } from '@left4me/host';
import { Logger } from '@nestjs/common';

const LOOK_LIMIT_MS = 15_000;
/** A server whose start was cut off comes up, or not, within moments. */
const SETTLE_MS = 3000;
const LOOK_AGAIN_MS = 100;

/** Reads on the host what a server does; null: the host does not know it. */
export type LookAt = (serverId: number, name: string) => Promise<InstanceStatus | null>;

/** What a job was for, as far as looking at it goes. */
interface Subject {
  id: number;
  serverId: number | null;
  serverName: string | null;
}

/** What the job has made of its server; null: it has none, or the host does not say, and the poller looks again. */
export async function lookAfter(job: Subject, lookAt: LookAt): Promise<InstanceStatus | null> {
  const { id, serverId, serverName } = job;
  if (serverId === null || serverName === null) return null;
  let limit: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      limit = setTimeout(() => reject(new Error('the host did not answer')), LOOK_LIMIT_MS);
    });
    return await Promise.race([lookAt(serverId, serverName), late]);
  } catch (error) {
    // The job's own result stands.
    new Logger('Job').warn(`The state of server ${serverName} could not be read after job ${id}: ${String(error)}`);
    return null;
  } finally {
    clearTimeout(limit);
  }
}

/** As lookAfter, but a server that is just starting or stopping is given a moment. */
export async function lookWhenSettled(job: Subject, lookAt: LookAt): Promise<InstanceStatus | null> {
  const until = performance.now() + SETTLE_MS;
  for (;;) {
    const seen = await lookAfter(job, lookAt);
    const moving = seen?.state === 'starting' || seen?.state === 'stopping';
    if (!moving || performance.now() > until) return seen;
    await sleep(LOOK_AGAIN_MS);
  }
}

/** A sentence, with a space before it, on what the job's server was seen doing after the job; empty when the job has no server. */
export function serverNow(job: Subject, seen: InstanceStatus | null): string {
  if (job.serverId === null) return '';
  if (!seen) return ' What the server does now could not be read.';
  const { state, reason, generation, nextGeneration } = seen;
  if (state === 'absent') return ' The server is not on its host.';
  if (state === 'failed') return ` The server has failed${reason ? `: ${reason}` : ''}.`;
  if (state !== 'running' || generation === null) return ` The server is ${state}.`;
  const prepared = nextGeneration !== null && nextGeneration !== generation;
  return ` The server is running (generation ${generation}${prepared ? `; ${nextGeneration} is prepared for its next start` : ''}).`;
}

/** "Cancelled by zoey." */
export function cancelledBy(name: string | null): string {
  return name === null ? 'Cancelled.' : `Cancelled by ${name}.`;
}
