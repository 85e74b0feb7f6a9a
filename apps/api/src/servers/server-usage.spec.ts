import type { InstanceStatus, Usage } from '@left4me/host';
import { describe, expect, it } from 'vitest';
import { UsageMeter } from './server-usage.js';

const MIB = 1024 * 1024;

function status(usage: Partial<Usage> | null): InstanceStatus {
  const limits = { memoryLimitBytes: null, cpuLimitPercent: null, tasksLimit: null };
  const none = { ...limits, memoryBytes: 0, cpuSeconds: 0, tasks: null };
  return {
    name: 'one',
    state: 'running',
    pid: 1,
    startedAt: null,
    generation: 1,
    nextGeneration: 1,
    exitCode: null,
    signal: null,
    reason: null,
    usage: usage === null ? null : { ...none, ...usage },
  };
}

describe('the usage of a server', () => {
  it('has whole MiB of memory, tasks and the limits as they are', () => {
    const limits = { memoryLimitBytes: 3 * 1024 * MIB, cpuLimitPercent: 200, tasks: 12, tasksLimit: 256 };
    const usage = new UsageMeter().read(1, status({ memoryBytes: 100.4 * MIB, ...limits }));
    expect(usage).toEqual({ memoryBytes: 100 * MIB, cpuPercent: null, ...limits });
  });

  it('has the share of a processor between two looks', () => {
    const meter = new UsageMeter();
    expect(meter.read(1, status({ cpuSeconds: 10 }), 0)?.cpuPercent).toBeNull();
    expect(meter.read(2, status({ cpuSeconds: 500 }), 0)?.cpuPercent).toBeNull();
    expect(meter.read(1, status({ cpuSeconds: 25 }), 10_000)?.cpuPercent).toBe(150);
    expect(meter.read(1, status({ cpuSeconds: 25 }), 20_000)?.cpuPercent).toBe(0);
  });

  it('does not reckon across a restart', () => {
    const meter = new UsageMeter();
    meter.read(1, status({ cpuSeconds: 100 }), 0);
    expect(meter.read(1, status({ cpuSeconds: 1 }), 10_000)?.cpuPercent).toBeNull();
    meter.read(1, status(null), 20_000);
    expect(meter.read(1, status({ cpuSeconds: 2 }), 30_000)?.cpuPercent).toBeNull();
  });

  it('is nothing where nobody counts', () => {
    expect(new UsageMeter().read(1, status(null))).toBeNull();
  });
});
