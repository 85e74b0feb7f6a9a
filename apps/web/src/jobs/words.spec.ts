import { describe, expect, it } from 'vitest';
import type { Job, JobState } from './schema';
import { holdUp, hostAway, mainReason, reasonParts, reasons } from './words';

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
    cancelledBy: null,
    cancelledByName: null,
    cancelledAt: null,
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

describe('of several reasons', () => {
  const several = job('queued', [
    { kind: 'job', jobId: 4, text: 'waits for job 4' },
    { kind: 'job', text: 'waits for another job' },
    { kind: 'host', text: 'waits for host attic' },
  ]);

  it('the host comes first: without its worker the jobs ahead do not end either', () => {
    expect(mainReason(several)).toBe('waits for host attic');
    expect(holdUp(several)).toBe('waits for host attic');
    expect(reasons(several).map(({ text }) => text)).toEqual([
      'waits for host attic',
      'waits for job 4',
      'waits for another job',
    ]);
    expect(mainReason(job('queued', []))).toBeNull();
  });
});

describe('the job that is waited for', () => {
  it('is named once in the reason, to be linked there', () => {
    expect(reasonParts({ kind: 'job', jobId: 3, text: 'waits for job 3, install on attic' })).toEqual({
      before: 'waits for ',
      job: 'job 3',
      after: ', install on attic',
    });
  });

  it('is left out where the reader may not know it', () => {
    for (const wait of [
      { kind: 'job', text: 'waits for another job' },
      { kind: 'job', jobId: 3, text: 'waits for job 31, stop of one' },
    ]) {
      expect(reasonParts(wait)).toEqual({ before: wait.text, job: null, after: '' });
    }
  });
});

describe('a job that had begun', () => {
  it('is said to be without its host’s worker only while it is', () => {
    const away = [{ kind: 'host', text: 'host attic is offline: who knows' }];
    expect(hostAway(job('running', away))).toBe('Host attic is offline: who knows.');
    expect(hostAway(job('cancelling', away))).toBe('Host attic is offline: who knows.');
    expect(hostAway(job('queued', away))).toBeNull();
    expect(hostAway(job('running', []))).toBeNull();
  });
});
