import { type ShallowRef, onScopeDispose, ref, shallowRef } from 'vue';
import type { JobState } from '../jobs/schema';
import type { LiveMessage } from '../live/messages';
import { useChannel } from '../live/live';
import { LogBuffer } from './buffer';
import type { LogLine } from './line';

export interface LogStream {
  buffer: LogBuffer;
  /** Grows, at most once per animation frame, when the buffer changed. */
  version: Readonly<ShallowRef<number>>;
  /** The panel answered: an empty buffer is an empty log. */
  ready: Readonly<ShallowRef<boolean>>;
  /** A job's last word; null while more may come. */
  end: Readonly<ShallowRef<{ state: JobState; exitCode: number | null } | null>>;
  error: Readonly<ShallowRef<string | null>>;
  /** Puts older lines before the first; answers how many were new. */
  prepend: (lines: readonly LogLine[]) => number;
}

/** More lines than this between two frames are a flood. */
const flood = 300;
const floodInterval = 100;

/** Follows a log channel into a buffer while the calling component lives. */
export function useLogStream(channel: string): LogStream {
  const buffer = new LogBuffer();
  const version = shallowRef(0);
  const ready = ref(false);
  const end = shallowRef<{ state: JobState; exitCode: number | null } | null>(null);
  const error = ref<string | null>(null);
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting = 0;
  let shownAt = -Infinity;

  const show = (): void => {
    frame = 0;
    timer = undefined;
    waiting = 0;
    shownAt = performance.now();
    version.value += 1;
  };
  // The view is told once per frame, and in a flood (a replay of 100,000 lines) ten times a second.
  const changed = (added: number): void => {
    waiting += added;
    if (frame || (timer !== undefined && waiting <= flood)) return;
    const rest = shownAt + floodInterval - performance.now();
    if (waiting > flood && rest > 0) timer ??= setTimeout(() => (frame = requestAnimationFrame(show)), rest);
    else frame = requestAnimationFrame(show);
  };

  const hear = (message: LiveMessage): void => {
    if (message.type === 'subscribed') {
      ready.value = true;
      error.value = null;
    } else if (message.type === 'lines') {
      ready.value = true;
      error.value = null;
      if (message.truncated) {
        const known = buffer.size > 0;
        buffer.note(
          known ? 'Lines are missing here: the panel no longer had them.' : 'Older lines are no longer kept.',
          message.items[0]?.at ?? new Date().toISOString(),
        );
      }
      const added = buffer.append(message.items);
      if (added > 0 || message.truncated) changed(added);
    } else if (message.type === 'end') {
      error.value = null;
      end.value = { state: message.state, exitCode: message.exitCode };
    } else if (message.type === 'error') {
      ready.value = true;
      // The panel goes on by itself after its own failures, and says so with another `subscribed`.
      error.value =
        message.status >= 500 ? `${message.detail} This log goes on when it can be read again.` : message.detail;
    }
  };

  useChannel(channel, { after: () => buffer.last, message: hear });
  onScopeDispose(() => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
  });
  const prepend = (older: readonly LogLine[]): number => {
    const added = buffer.prepend(older);
    if (added > 0) changed(added);
    return added;
  };
  return { buffer, version, ready, end, error, prepend };
}
