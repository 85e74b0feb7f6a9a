import { ref, shallowRef, watch } from 'vue';
import type { LogBuffer } from './buffer';
import { LogSearch } from './search';

/** The search field's state over a buffer; `show` brings a line into sight. */
export function useLogSearch(buffer: LogBuffer, show: (id: number) => void) {
  const needle = ref('');
  const current = ref<number | null>(null);
  const search = shallowRef(new LogSearch(''));
  const found = ref(0);
  let oldest = buffer.firstId;

  /** Takes in what changed in the buffer. */
  function update(): void {
    // A search goes forward only: lines put before the first one need a new one.
    if (buffer.firstId < oldest) search.value = new LogSearch(needle.value);
    oldest = buffer.firstId;
    search.value.update(buffer);
    found.value = search.value.ids.length;
  }

  function step(direction: 1 | -1): void {
    current.value = search.value.step(current.value, direction);
    if (current.value !== null) show(current.value);
  }

  watch(needle, () => {
    search.value = new LogSearch(needle.value);
    update();
    current.value = null;
    // One letter is in nearly every line: wait for more before moving the log.
    if (needle.value.length > 1) step(-1);
  });

  return { needle, current, search, found, update, step };
}
