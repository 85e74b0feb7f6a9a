import { type Job, isUnfinished } from './schema';

export interface JobFilters {
  state: 'all' | 'unfinished' | 'succeeded' | 'failed' | 'cancelled';
  serverId: number | null;
  overlayId: number | null;
  hostId: number | null;
}

export const noFilters: JobFilters = { state: 'all', serverId: null, overlayId: null, hostId: null };

/** The `state=` parameter of GET /jobs. */
export function stateParameter(state: JobFilters['state']): string | undefined {
  if (state === 'all') return undefined;
  return state === 'unfinished' ? 'queued,running,cancelling' : state;
}

/** Whether a job that arrived live belongs into a list with these filters. */
export function matches(job: Job, filters: JobFilters): boolean {
  if (filters.serverId !== null && job.serverId !== filters.serverId) return false;
  if (filters.overlayId !== null && job.overlayId !== filters.overlayId) return false;
  if (filters.hostId !== null && job.hostId !== filters.hostId) return false;
  if (filters.state === 'all') return true;
  return filters.state === 'unfinished' ? isUnfinished(job) : job.state === filters.state;
}
