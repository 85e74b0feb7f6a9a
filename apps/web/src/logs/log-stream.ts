import { type ShallowRef, onScopeDispose, ref, shallowRef } from 'vue';
import type { JobState } from '../jobs/schema';
import type { LiveMessage } from '../live/messages';
import { useChannel } from '../live/live';
import { LogBuffer } from './buffer';

export interface LogStream {
  buffer: LogBuffer;
  /** Grows, at most once per animation frame, when the buffer changed. */
  version: Readonly<ShallowRef<number>>;
  /** The panel answered: an empty buffer is an empty log. */
  ready: Readonly<ShallowRef<boolean>>;
  /** A job's last word; null while more may come. */
  end: Readonly<ShallowRef<{ state: JobState; exitCode: number | null } | null>>;
  error: Readonly<ShallowRef<string | null>>;
}

/** Follows a log channel into a buffer while the calling component lives. */
export function useLogStream(channel: string): LogStream {
  const buffer = new LogBuffer();
  const version = shallowRef(0);
  const ready = ref(false);
  const end = shallowRef<{ state: JobState; exitCode: number | null } | null>(null);
  const error = ref<string | null>(null);
  let frame = 0;

  // A busy server writes thousands of lines a second; the view is told once per frame.
  const changed = (): void => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      version.value += 1;
    });
  };

  const hear = (message: LiveMessage): void => {
    if (message.type === 'subscribed') {
      ready.value = true;
      error.value = null;
    } else if (message.type === 'lines') {
      ready.value = true;
      if (message.truncated) {
        const known = buffer.size > 0;
        buffer.note(
          known ? 'Lines are missing here: the panel no longer had them.' : 'Older lines are no longer kept.',
          message.items[0]?.at ?? new Date().toISOString(),
        );
      }
      if (buffer.append(message.items) > 0 || message.truncated) changed();
    } else if (message.type === 'end') {
      end.value = { state: message.state, exitCode: message.exitCode };
    } else if (message.type === 'error') {
      ready.value = true;
      error.value = message.detail;
    }
  };

  useChannel(channel, { after: () => buffer.last, message: hear });
  onScopeDispose(() => cancelAnimationFrame(frame));
  return { buffer, version, ready, end, error };
}
