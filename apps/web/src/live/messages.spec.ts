import { describe, expect, it } from 'vitest';
import { parseMessage } from './messages';

const job = {
  id: 7,
  operation: 'start',
  state: 'running',
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
  waitsFor: [],
  progress: { percent: 4.5, text: null },
  createdAt: '2026-11-21T20:00:00Z',
  startedAt: '2026-11-21T20:00:01Z',
  finishedAt: null,
};

describe('live messages', () => {
  it('give lines of jobs and servers the same shape', () => {
    const at = '2026-11-21T20:00:00Z';
    const line = { stream: 'stderr', line: 'text', at };
    expect(
      parseMessage(JSON.stringify({ type: 'lines', channel: 'job:1', items: [{ seq: 12, ...line }] })),
    ).toMatchObject({ items: [{ position: '12', stream: 'stderr', text: 'text', at }] });
    expect(
      parseMessage(
        JSON.stringify({
          type: 'lines',
          channel: 'server:1:log',
          items: [{ position: '3-400', ...line }],
          truncated: true,
        }),
      ),
    ).toMatchObject({ items: [{ position: '3-400' }], truncated: true });
  });

  it('carry whole items, told apart by their channel; what a newer panel adds does no harm', () => {
    const message = parseMessage(JSON.stringify({ type: 'changed', channel: 'jobs', item: { ...job, priority: 3 } }));
    expect(message).toEqual({ type: 'changed', channel: 'jobs', item: job });
  });

  it.each([
    '{',
    '[]',
    '{"type":"unknown"}',
    JSON.stringify({ type: 'changed', channel: 'jobs', item: { ...job, state: 'odd' } }),
    JSON.stringify({ type: 'changed', channel: 'moons', item: job }),
  ])('are ignored when unknown: %s', (data) => expect(parseMessage(data)).toBeNull());

  it('are text', () => expect(parseMessage(new ArrayBuffer(2))).toBeNull());
});
