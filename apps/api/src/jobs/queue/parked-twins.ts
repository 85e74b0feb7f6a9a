import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { RedisConnections } from '../../redis/redis.js';
import { Admission } from './admission.js';
import { Twins, twinData, type TwinData } from './twins.js';

/** Jobs whose twins are restored in one go. */
const PAGE = 500;
/** Jobs, and twins of a queue, that are looked at when nothing seems to be missing: a long line must not make its jobs dearer. */
const GLANCE = 100;
/** While Redis has lost nothing, only every so many looks are at the line: what is missing or left over there harms nobody. */
const LINE_EVERY = 5;
/** By then whoever queued a job has parked its twin, or has died (seconds). */
const SETTLED_S = 3;

/**
 * Keeps the parked twins equal to the line, so that Bull board shows all of it and nothing else: a process may die between queueing a
 * job and parking its twin, and Redis may be away when a queued job is cancelled. Nothing waits for this: an admitted job gets its twin
 * by dispatch.
 */
@Injectable()
export class ParkedTwins {
  /** Where the next look begins: after this job, and at this twin of each queue. */
  private after = 0;
  private looks = 0;
  private readonly from = new Map<string, number>();

  constructor(
    private readonly admission: Admission,
    private readonly twins: Twins,
    private readonly redis: RedisConnections,
  ) {}

  /** Restores all twins when Redis was emptied; otherwise looks at the next page of the line. Called every few seconds. */
  async look(): Promise<void> {
    // A marker in Redis says that the parked twins are there; it vanishes with them.
    const marker = `${this.redis.prefix}:twins-parked`;
    if ((await this.redis.commands.exists(marker)) === 0) {
      this.after = 0;
      while (await this.parkPage(PAGE, 0));
      await this.redis.commands.set(marker, '1');
    } else if (++this.looks % LINE_EVERY === 0) {
      await this.parkPage(GLANCE, SETTLED_S);
      for (const queue of this.twins.known) await this.removeLeftovers(queue);
    }
  }

  /** @returns false when the end of the line was reached */
  private async parkPage(most: number, age: number): Promise<boolean> {
    const jobs = await this.admission.parked(this.after, most, age);
    await this.twins.park(jobs);
    const more = jobs.length === most;
    this.after = (more && jobs.at(-1)?.id) || 0;
    return more;
  }

  private async removeLeftovers(queue: Queue<TwinData>): Promise<void> {
    const from = this.from.get(queue.name) ?? 0;
    const parked = await queue.getDelayed(from, from + GLANCE - 1);
    this.from.set(queue.name, parked.length === GLANCE ? from + GLANCE : 0);
    const jobIds = parked.flatMap(({ data }) => twinData.safeParse(data).data?.jobId ?? []);
    const queued = await this.admission.stillQueued(jobIds);
    const leftovers = parked.filter(({ data }) => !queued.has(twinData.safeParse(data).data?.jobId ?? 0));
    await Promise.all(leftovers.map((twin) => twin.remove()));
  }
}
