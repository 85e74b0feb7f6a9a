import type { Announcements } from '../redis/announcements.js';
import type { Job } from './job.entity.js';

/** What a job is for. */
export type JobSubject = Pick<Job, 'id' | 'operation' | 'hostId' | 'serverId' | 'overlayId'>;

/** Announces that a job has changed, and with it what it is for. */
export function announceJob(announcements: Announcements, job: JobSubject): void {
  announcements.publish({ topic: 'job', id: job.id });
  if (job.serverId !== null) announcements.publish({ topic: 'server', id: job.serverId });
  if (job.overlayId !== null) announcements.publish({ topic: 'overlay', id: job.overlayId });
  if (job.operation === 'install') announcements.publish({ topic: 'host', id: job.hostId });
}
