import { computed, nextTick, type Ref, ref, type ShallowRef, watch } from 'vue';
import type { LogBuffer } from './buffer';

/** What of the log's view the following takes part in. */
interface Followed {
  scroller: Readonly<ShallowRef<HTMLElement | null>>;
  buffer: LogBuffer;
  /** Changes with what is in the buffer. */
  version: Readonly<Ref<number>>;
  lineHeight: number;
  /** Whether somebody searches, whom a match near the end must not set the log in motion for. */
  searching: () => boolean;
}

/** Keeps a log at its end while lines come, until its reader goes up; then what is read stays where it is. */
export function useFollowEnd({ scroller, buffer, version, lineHeight, searching }: Followed) {
  const following = ref(true);
  const atTop = ref(false);
  const seen = ref(0);
  /** Lines that came since the reader went up. */
  const waiting = computed(() => (version.value, following.value ? 0 : buffer.total - seen.value));
  let oldest = buffer.firstId;
  let before = 0;

  function toEnd(): void {
    const element = scroller.value;
    if (element) element.scrollTop = element.scrollHeight;
  }

  function follow(on: boolean): void {
    following.value = on;
    seen.value = buffer.total;
    if (on) toEnd();
  }

  /** After something that changes how high the lines are. */
  async function stay(): Promise<void> {
    await nextTick();
    if (following.value) toEnd();
  }

  watch(version, async () => {
    const dropped = buffer.firstId - oldest;
    oldest = buffer.firstId;
    if (following.value) {
      seen.value = buffer.total;
      await nextTick();
      return toEnd();
    }
    await nextTick();
    // Older lines went: what is read must not move under the eyes.
    if (scroller.value && dropped !== 0) scroller.value.scrollTop -= dropped * lineHeight;
  });

  function scrolled(): void {
    const element = scroller.value;
    if (!element) return;
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 4;
    if (atEnd && !following.value && element.scrollTop > before && !searching()) follow(true);
    // Only going up means "let me read": the end also moves away when lines arrive.
    else if (!atEnd && following.value && element.scrollTop < before - 2) follow(false);
    before = element.scrollTop;
    atTop.value = element.scrollTop < 2 * lineHeight;
  }

  return { following, waiting, atTop, follow, stay, scrolled };
}
