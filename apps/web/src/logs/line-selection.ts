import { computed, ref } from 'vue';

/** A range of lines picked by their ids, as in a list: an anchor and an end. */
export function useLineSelection() {
  const anchor = ref<number | null>(null);
  const end = ref<number | null>(null);
  const range = computed(() =>
    anchor.value === null || end.value === null
      ? null
      : { from: Math.min(anchor.value, end.value), to: Math.max(anchor.value, end.value) },
  );

  const clear = (): void => {
    anchor.value = null;
    end.value = null;
  };

  return {
    range,
    end,
    size: computed(() => (range.value ? range.value.to - range.value.from + 1 : 0)),
    has: (id: number): boolean => range.value !== null && id >= range.value.from && id <= range.value.to,
    clear,
    /** Picks one line, or extends to it; picking the only picked line again lets it go. */
    pick(id: number, extend: boolean): void {
      if (extend && anchor.value !== null) end.value = id;
      else if (anchor.value === id && end.value === id) clear();
      else anchor.value = end.value = id;
    },
    set(from: number, to: number): void {
      anchor.value = from;
      end.value = to;
    },
  };
}
