import { QueryClient } from '@tanstack/vue-query';
import { describe, expect, it } from 'vitest';
import { type JobFilters, noFilters } from './filters';
import { applyJob, jobKeys } from './queries';
import type { Job, JobState } from './schema';

function job(id: number, state: JobState, serverId = 1): Job {
  return {
    id,
    operation: 'start',
    state,
    serverId,
    serverName: 'one',
    overlayId: null,
    overlayName: null,
    hostId: 1,
    hostName: 'local',
    userId: 1,
    userName: 'admin',
    cancelledBy: null,
    cancelledByName: null,
    cancelledAt: null,
    exitCode: null,
    error: null,
    waitsFor: [],
    progress: null,
    createdAt: '2026-11-21T20:00:00Z',
    startedAt: null,
    finishedAt: null,
  };
}

function setUp(filters: JobFilters, items: Job[]) {
  const client = new QueryClient();
  client.setQueryData(jobKeys.list(filters), { pages: [{ items, nextCursor: null }], pageParams: [null] });
  const shown = () =>
    client
      .getQueryData<{ pages: { items: Job[] }[] }>(jobKeys.list(filters))
      ?.pages.flatMap((page) => page.items.map((item) => `${item.id} ${item.state}`));
  return { client, shown };
}

describe('a job that changed', () => {
  it('is replaced where it stands, and new ones come first', () => {
    const { client, shown } = setUp(noFilters, [job(12, 'queued'), job(10, 'running')]);
    applyJob(client, job(10, 'succeeded'));
    applyJob(client, job(13, 'queued'));
    applyJob(client, job(11, 'queued'));
    expect(shown()).toEqual(['13 queued', '12 queued', '11 queued', '10 succeeded']);
  });

  it('leaves lists it no longer fits, and does not enter others', () => {
    const { client, shown } = setUp({ ...noFilters, state: 'unfinished', serverId: 1 }, [
      job(12, 'queued'),
      job(10, 'running'),
    ]);
    applyJob(client, job(10, 'failed'));
    applyJob(client, job(14, 'queued', 2));
    expect(shown()).toEqual(['12 queued']);
  });

  it('never goes back: an answer may come after the pushes about what became of it', () => {
    const { client, shown } = setUp(noFilters, []);
    applyJob(client, job(10, 'running'));
    applyJob(client, job(10, 'queued'));
    expect(shown()).toEqual(['10 running']);
  });
});
