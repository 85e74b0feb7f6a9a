import { describe, expect, it } from 'vitest';
import type { Job, JobState } from './schema';
import { holdUp } from './words';

function job(state: JobState, waitsFor: Job['waitsFor']): Job {
  return {
    id: 1,
    operation: 'start',
    state,
    serverId: 1,
    serverName: 'one',
    overlayId: null,
    overlayName: null,
    hostId: 1,
    hostName: 'local',
    userId: 1,
    userName: 'admin',
    exitCode: null,
    error: null,
    waitsFor,
    progress: null,
    createdAt: '2026-11-21T20:00:00Z',
    startedAt: null,
    finishedAt: null,
  };
}

describe('what holds a job up', () => {
  it('is another job or its host, not the turn of its lane', () => {
    expect(holdUp(job('queued', [{ kind: 'job', jobId: 4, text: 'waits for job 4' }]))).toBe('waits for job 4');
    expect(holdUp(job('queued', [{ kind: 'host', text: 'waits for host local' }]))).toBe('waits for host local');
    expect(holdUp(job('queued', [{ kind: 'slot', text: 'waits for one of the 16 places' }]))).toBeNull();
    expect(holdUp(job('queued', []))).toBeNull();
    expect(holdUp(job('running', [{ kind: 'job', text: 'waits for job 4' }]))).toBeNull();
  });
});
