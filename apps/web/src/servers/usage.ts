import { memory } from '../design/amounts';
import type { Server } from './schema';

type Usage = NonNullable<Server['usage']>;

export function memoryWords({ memoryBytes, memoryLimitBytes }: Usage): string {
  return memoryLimitBytes === null ? memory(memoryBytes) : `${memory(memoryBytes)} of ${memory(memoryLimitBytes)}`;
}

export function taskWords({ tasks, tasksLimit }: Usage): string {
  return tasksLimit === null ? `${tasks}` : `${tasks} of ${tasksLimit}`;
}

/** 100 % is one processor. */
export function processorWords({ cpuPercent, cpuLimitPercent }: Usage): string {
  return cpuLimitPercent === null ? `${cpuPercent} %` : `${cpuPercent} % of ${cpuLimitPercent} %`;
}
