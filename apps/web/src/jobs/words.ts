import type { Job, JobState } from './schema';

const operations: Record<string, { name: string; doing: string }> = {
  install: { name: 'Install the game', doing: 'Installing the game' },
  initialize: { name: 'Initialize', doing: 'Initializing' },
  start: { name: 'Start', doing: 'Starting' },
  stop: { name: 'Stop', doing: 'Stopping' },
  restart: { name: 'Restart', doing: 'Restarting' },
  delete: { name: 'Delete', doing: 'Deleting' },
  'build-overlay': { name: 'Build overlay', doing: 'Building' },
};

/** The operation as a command: "Start". */
export function operationName(operation: string): string {
  return operations[operation]?.name ?? operation;
}

/** The operation as it happens: "Starting". */
export function operationDoing(operation: string): string {
  return operations[operation]?.doing ?? operation;
}

export const stateNames: Record<JobState, string> = {
  queued: 'Waiting',
  running: 'Running',
  cancelling: 'Cancelling',
  succeeded: 'Succeeded',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** Why a job just queued does not begin at once; null when it only waits for its turn, which is a moment. */
export function holdUp(job: Job): string | null {
  const [first] = job.waitsFor;
  if (job.state !== 'queued' || !first) return null;
  return first.kind === 'job' || first.kind === 'host' ? first.text : null;
}

/** What a job is about, for sentences and titles: the server, the overlay or the host. */
export function jobSubject(job: Job): string {
  return job.serverName ?? job.overlayName ?? job.hostName ?? '';
}

/** "Start versus-1", for titles and announcements. */
export function jobTitle(job: Job): string {
  if (job.operation === 'install') return `${operationName(job.operation)} on ${jobSubject(job)}`;
  return `${operationName(job.operation)} ${jobSubject(job)}`.trim();
}
