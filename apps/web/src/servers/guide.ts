import { useInfiniteQuery } from '@tanstack/vue-query';
import { type Ref, computed, ref } from 'vue';
import { noFilters } from '../jobs/filters';
import { jobListOptions } from '../jobs/queries';
import type { Server } from './schema';
import { hasRun } from './state';

const key = 'left4me.guide';

function wasClosed(): boolean {
  try {
    return localStorage.getItem(key) === 'closed';
  } catch {
    return false;
  }
}

/** The setup guide stays until a server has run once, or somebody closes it in this browser. */
export function useGuide(servers: Ref<readonly Server[] | undefined>) {
  const closed = ref(wasClosed());
  // A stopped server does not tell whether it ever ran; its jobs do.
  const asks = computed(() => !closed.value && servers.value !== undefined && !hasRun(servers.value, []));
  const jobs = useInfiniteQuery(
    computed(() => ({
      ...jobListOptions({ ...noFilters, state: 'succeeded' }),
      enabled: asks.value,
    })),
  );
  const shown = computed(
    () =>
      asks.value &&
      jobs.data.value !== undefined &&
      !hasRun(
        servers.value ?? [],
        jobs.data.value.pages.flatMap((page) => page.items),
      ),
  );
  const close = (): void => {
    closed.value = true;
    try {
      localStorage.setItem(key, 'closed');
    } catch {
      // Storage may be forbidden: it stays closed on this page only.
    }
  };
  return { shown, close };
}
