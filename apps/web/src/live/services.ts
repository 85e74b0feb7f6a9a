import { onScopeDispose, readonly, shallowRef } from 'vue';
import { z } from 'zod';
import { onServerFault } from '../api/client';
import { queryClient } from '../api/query-client';
import { type ServiceName, ServicesWatch, serviceNames } from './services-watch';

const service = z.object({ status: z.string() });
const readiness = z.object({ postgres: service, redis: service });

/** The panel's own account of the services it needs; it gives up on each after two seconds. */
async function ask(): Promise<readonly ServiceName[] | null> {
  try {
    const response = await fetch('/health/ready', { signal: AbortSignal.timeout(6_000) });
    const states = readiness.parse(await response.json());
    return serviceNames.filter((name) => states[name].status !== 'ok');
  } catch {
    // The panel itself is away, or a proxy answers for it: the live connection tells of that.
    return null;
  }
}

const away = shallowRef<readonly ServiceName[]>([]);

/** The services that do not answer the panel, as far as somebody follows them. */
export const servicesAway = readonly(away);

/** Follows which services do not answer the panel while the calling component lives and its page is looked at. */
export function useServicesWatch(): void {
  away.value = []; // as the new watch takes it
  const watch = new ServicesWatch({
    ask,
    onChange: (next) => {
      // What could not be read meanwhile can be now.
      if (away.value.includes('postgres') && !next.includes('postgres')) void queryClient.invalidateQueries();
      away.value = next;
    },
  });
  const look = (): void => (document.visibilityState === 'visible' ? watch.start() : watch.stop());
  look();
  document.addEventListener('visibilitychange', look);
  const deaf = onServerFault(() => watch.hurry());
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', look);
    deaf();
    watch.stop();
  });
}
