import { expect, it } from 'vitest';
import { memoryWords, processorWords } from './usage';

const GIB = 1024 ** 3;
const none = { memoryBytes: GIB, memoryLimitBytes: null, cpuPercent: 12, cpuLimitPercent: null, tasksLimit: null };

it.each([
  [none, '1.1 GB', '12 %'],
  [{ ...none, memoryLimitBytes: 3 * GIB, cpuLimitPercent: 200 }, '1.1 GB of 3.2 GB', '12 % of 200 %'],
])('%j', (usage, memory, processor) => {
  expect(memoryWords(usage)).toBe(memory);
  expect(processorWords(usage)).toBe(processor);
});
