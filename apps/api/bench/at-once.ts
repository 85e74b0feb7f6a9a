/** How many callers queue at the same time. */
const CALLERS = 2000;

/** Queues so many jobs, in order, by callers who each queue the next one when they have queued one. */
export async function atOnce(count: number, queue: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const caller = async () => {
    while (next < count) {
      const n = next;
      next += 1;
      await queue(n);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}
