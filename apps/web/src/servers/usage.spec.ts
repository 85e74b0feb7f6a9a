import { expect, it } from 'vitest';
import { memoryWords, processorWords, taskWords } from './usage';

const GIB = 1024 ** 3;
const limits = { memoryLimitBytes: null, cpuLimitPercent: null, tasksLimit: null };
const none = { ...limits, memoryBytes: GIB, cpuPercent: 12, tasks: 9 };

it.each([
  [none, '1.1 GB', '12 %', '9'],
  [
    { ...none, memoryLimitBytes: 3 * GIB, cpuLimitPercent: 200, tasksLimit: 256 },
    '1.1 GB of 3.2 GB',
    '12 % of 200 %',
    '9 of 256',
  ],
])('%j', (usage, memory, processor, tasks) => {
  expect(memoryWords(usage)).toBe(memory);
  expect(processorWords(usage)).toBe(processor);
  expect(taskWords(usage)).toBe(tasks);
});
