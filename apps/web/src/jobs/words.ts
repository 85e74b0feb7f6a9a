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

const weights: Record<string, number> = { host: 0, job: 1, slot: 2 };

/** What a job waits for, the most important first: with its host away the jobs ahead do not end either. */
export function reasons(job: Job): Job['waitsFor'] {
  return job.waitsFor.toSorted((a, b) => (weights[a.kind] ?? 3) - (weights[b.kind] ?? 3));
}

/** The reason that matters most, where there is room for one; null: there is none. */
export function mainReason(job: Job): string | null {
  return reasons(job)[0]?.text ?? null;
}

/** A reason in three parts, the middle one naming the job that is waited for; null: it names none. */
export function reasonParts(wait: Job['waitsFor'][number]): { before: string; job: string | null; after: string } {
  const [before = '', job, after = ''] = wait.jobId ? wait.text.split(new RegExp(`\\b(job ${wait.jobId})\\b`)) : [];
  return job === undefined ? { before: wait.text, job: null, after: '' } : { before, job, after };
}

/** Why a job just queued does not begin at once; null when it only waits for its turn, which is a moment. */
export function holdUp(job: Job): string | null {
  const [first] = reasons(job);
  if (job.state !== 'queued' || !first) return null;
  return first.kind === 'job' || first.kind === 'host' ? first.text : null;
}

/** Of a job that had begun: that its host is offline, in a sentence. It may not run any more, so nothing may look as if it did. */
export function hostAway(job: Job): string | null {
  if (job.state !== 'running' && job.state !== 'cancelling') return null;
  const text = job.waitsFor.find((wait) => wait.kind === 'host')?.text;
  return text === undefined ? null : `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
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
