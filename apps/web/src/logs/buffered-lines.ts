import { type ShallowRef, onScopeDispose, shallowRef } from 'vue';
import { LogBuffer } from './buffer';

export interface BufferedLines {
  buffer: LogBuffer;
  /** Grows, at most once per animation frame, when the buffer changed. */
  version: Readonly<ShallowRef<number>>;
  /** To be called after the buffer changed. @param added how many lines came */
  changed: (added: number) => void;
}

/** More lines than this between two frames are a flood. */
const flood = 300;
const floodInterval = 100;

/** A buffer that tells its view of changes as often as that can show them, while the calling component lives. */
export function useBufferedLines(): BufferedLines {
  const buffer = new LogBuffer();
  const version = shallowRef(0);
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
  onScopeDispose(() => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
  });
  return { buffer, version, changed };
}
