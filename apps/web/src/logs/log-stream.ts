import { type ShallowRef, ref, shallowRef } from 'vue';
import type { JobState } from '../jobs/schema';
import type { LiveMessage } from '../live/messages';
import { useChannel } from '../live/live';
import type { LogBuffer } from './buffer';
import { useBufferedLines } from './buffered-lines';
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

/** Follows a log channel into a buffer while the calling component lives. */
export function useLogStream(channel: string): LogStream {
  const { buffer, version, changed } = useBufferedLines();
  const ready = ref(false);
  const end = shallowRef<{ state: JobState; exitCode: number | null } | null>(null);
  const error = ref<string | null>(null);

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
  const prepend = (older: readonly LogLine[]): number => {
    const added = buffer.prepend(older);
    if (added > 0) changed(added);
    return added;
  };
  return { buffer, version, ready, end, error, prepend };
}
