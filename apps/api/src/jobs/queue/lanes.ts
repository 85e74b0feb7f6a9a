import type { Operation } from '../job.entity.js';

/** A BullMQ queue per host and lane, so that slow builds never hold up a stop. */
export const lanes = ['server', 'build', 'install'] as const;
export type Lane = (typeof lanes)[number];

export function laneOf(operation: Operation): Lane {
  if (operation === 'install') return 'install';
  if (operation === 'build-overlay') return 'build';
  return 'server';
}

/** How many jobs of a lane run at once on a host; the server lane's number is a setting. */
export function placesOf(lane: Lane, workerConcurrency: number): number {
  return { server: workerConcurrency, build: 2, install: 1 }[lane];
}
