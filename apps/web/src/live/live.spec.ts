import { afterEach, describe, expect, it, vi } from 'vitest';
import { effectScope } from 'vue';
import { queryClient } from '../api/query-client';
import { useLogStream } from '../logs/log-stream';
import { serverKeys } from '../servers/queries';
import { startLive, stopLive } from './live';

/** The panel's end of the tab's WebSocket. */
class Panel {
  static latest: Panel;
  sent: { type: string; channel: string; after?: string }[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;

  constructor() {
    Panel.latest = this;
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }

  close(): void {}

  says(message: object): void {
    this.onmessage?.(new MessageEvent('message', { data: JSON.stringify(message) }));
  }
}

function connect(): Panel {
  vi.stubGlobal('WebSocket', Panel);
  startLive(() => undefined);
  Panel.latest.onopen?.();
  return Panel.latest;
}

afterEach(() => {
  stopLive();
  vi.unstubAllGlobals();
});

const failure = { type: 'error', status: 500, detail: 'Something went wrong.' };

describe('when the panel could not read for a while', () => {
  it('a list is fetched again as soon as it can, since changes may have been missed', () => {
    const invalidate = vi.spyOn(queryClient, 'invalidateQueries').mockResolvedValue();
    const panel = connect();
    panel.says({ type: 'subscribed', channel: 'servers' });
    panel.says({ ...failure, channel: 'servers' });
    expect(invalidate).toHaveBeenCalledTimes(1);
    panel.says({ type: 'subscribed', channel: 'servers' });
    expect(invalidate.mock.calls).toEqual([[{ queryKey: serverKeys.all }], [{ queryKey: serverKeys.all }]]);
    // The panel goes on by itself.
    expect(panel.sent.filter(({ channel }) => channel === 'servers')).toHaveLength(1);
  });

  it('a log says so, keeps its lines and goes on', () => {
    const scope = effectScope();
    const panel = connect();
    const log = scope.run(() => useLogStream('job:5'));
    if (!log) throw new Error('no log');
    const line = { stream: 'stdout', line: 'line', at: '2026-11-21T20:00:00Z' };
    const channel = 'job:5';
    panel.says({ type: 'subscribed', channel });
    panel.says({ type: 'lines', channel, items: [{ seq: 1, ...line }] });
    panel.says({ ...failure, channel });
    expect(log.error.value).toBe('Something went wrong. This log goes on when it can be read again.');
    panel.says({ type: 'subscribed', channel });
    expect(log.error.value).toBeNull();
    panel.says({ ...failure, channel });
    panel.says({ type: 'lines', channel, items: [{ seq: 2, ...line }] });
    expect([log.error.value, log.buffer.size, log.buffer.last]).toEqual([null, 2, '2']);
    // What is refused stays refused.
    panel.says({ type: 'error', channel, status: 404, detail: 'There is no job 5.' });
    expect(log.error.value).toBe('There is no job 5.');
    scope.stop();
  });
});
