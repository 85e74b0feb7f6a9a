import { expect, it } from 'vitest';
import { memoryWords, processorWords, taskWords } from './usage';

const MIB = 1024 ** 2;
const GIB = 1024 * MIB;
const limits = { memoryLimitBytes: null, cpuLimitPercent: null, tasksLimit: null };
const none = { ...limits, memoryBytes: GIB, cpuPercent: 12, tasks: 9 };

it.each([
  [none, '1 GiB', '12 %', '9'],
  [
    { ...none, memoryLimitBytes: 3 * GIB, cpuLimitPercent: 200, tasksLimit: 256 },
    '1 GiB of 3 GiB',
    '12 % of 200 %',
    '9 of 256',
  ],
  [{ ...none, memoryBytes: 13.6 * MIB, memoryLimitBytes: 300 * MIB }, '13.6 MiB of 300 MiB', '12 %', '9'],
])('%j', (usage, memory, processor, tasks) => {
  expect(memoryWords(usage)).toBe(memory);
  expect(processorWords(usage)).toBe(processor);
  expect(taskWords(usage)).toBe(tasks);
});
