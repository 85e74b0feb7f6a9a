import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { twinId, Twins } from '../src/jobs/queue/twins.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

let panel: QueuePanel;
beforeAll(async () => {
  panel = await startQueue();
});
afterAll(() => panel.close());

it('a job that was admitted is delivered although whoever queued it parks its twin just before it gets one', async () => {
  const twins = panel.app.get(Twins);
  const job = { id: 2_000_000_000, hostId: panel.hostId + 1, operation: 'start', twin: 0 } as const;
  const queue = twins.queue(job.hostId, 'server'); // of a host that no worker serves
  const add = queue.add.bind(queue);
  vi.spyOn(queue, 'add').mockImplementation(async (...args) => {
    await twins.park([job]);
    return add(...args);
  });
  await twins.promote(job);
  expect(await queue.getJobState(twinId(job))).toBe('prioritized'); // as BullMQ calls what waits with a priority
});
