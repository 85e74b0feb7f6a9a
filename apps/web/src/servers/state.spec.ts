import { describe, expect, it } from 'vitest';
import type { Job } from '../jobs/schema';
import type { Server } from './schema';
import { describeState, disagreement, failureOf, hasRun, nameInGame, sensibleOperations } from './state';

function server(change: Partial<Server>): Server {
  return {
    id: 1,
    name: 'one',
    title: null,
    port: 27015,
    hostId: 1,
    hostName: 'local',
    blueprintId: 1,
    blueprintName: 'b',
    ownerId: 1,
    ownerName: 'admin',
    desiredState: 'running',
    actualState: 'running',
    actualStateAt: null,
    ready: null,
    readyAt: null,
    lastError: null,
    pendingChanges: [],
    map: null,
    players: null,
    usage: null,
    maxPlayers: null,
    connect: null,
    job: null,
    createdAt: '2026-11-21T20:00:00Z',
    updatedAt: '2026-11-21T20:00:00Z',
    ...change,
  };
}

describe('a server’s state in words', () => {
  it('tells running from ready', () => {
    expect(describeState(server({ ready: true }))).toMatchObject({ text: 'Running', detail: 'ready', tone: 'good' });
    expect(describeState(server({ ready: false }))).toMatchObject({
      text: 'Running',
      detail: 'not answering yet',
      tone: 'warn',
    });
  });

  it('says when it is not what was asked for, unless a job is at it or nobody knows', () => {
    expect(disagreement(server({ actualState: 'failed' }))).toBe('should be running');
    expect(disagreement(server({ desiredState: 'stopped' }))).toBe('should be stopped');
    expect(disagreement(server({}))).toBeNull();
    expect(disagreement(server({ actualState: 'unknown' }))).toBeNull();
  });

  it('is seen by players under its title, as far as server.cfg can say it', () => {
    expect(nameInGame('Our server', 'one')).toBe('Our server');
    expect(nameInGame('Zoës Haus', 'one')).toBe('one');
    expect(nameInGame('The "best" one', 'one')).toBe("The 'best' one");
    expect(nameInGame('  ', 'one')).toBe('one');
  });

  it('knows a first start from none', () => {
    expect(hasRun([server({ actualState: 'stopped' }), server({ actualState: 'failed' })], [])).toBe(false);
    expect(hasRun([server({ actualState: 'stopped' }), server({})], [])).toBe(true);
    const job = { id: 1, operation: 'start', state: 'succeeded' } as Job;
    expect(hasRun([server({ actualState: 'stopped' })], [job])).toBe(true);
    expect(hasRun([server({ actualState: 'stopped' })], [{ ...job, operation: 'install' }])).toBe(false);
  });

  it('says what failed, and why, each once', () => {
    expect(failureOf('start failed: Port 27015 is in use: says who')).toEqual({
      what: 'The last start failed',
      why: 'Port 27015 is in use: says who',
    });
    expect(failureOf('It ended with code 1.')).toEqual({ what: 'It failed', why: 'It ended with code 1.' });
  });

  it('offers what makes sense', () => {
    expect(sensibleOperations(server({ actualState: 'stopped' }))[0]).toBe('start');
    expect(sensibleOperations(server({}))).not.toContain('start');
    expect(sensibleOperations(server({ actualState: 'absent' }))).not.toContain('delete');
  });
});
