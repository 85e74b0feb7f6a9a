import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A file that takes long and begins last would leave the other workers with nothing to do. */
const LONG =
  /\/test\/(crash-matrix|chaos)\/|\/test\/(two-hosts|pages|failed-start|commands|embedded|panel-restart)\.spec\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  resolve: { conditions: ['left4me-source'] },
  ssr: { resolve: { conditions: ['left4me-source', 'node'] } },
  test: {
    include: ['src/**/*.spec.ts', 'test/**/*.spec.ts'],
    globalSetup: ['test/services.ts'],
    // For what hangs; no test may need a part of it worth mentioning, on a busy machine either.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // The tests of the real panel mostly wait: for installs, for lines, for queries that time out.
    maxWorkers: 3,
    // A worker loads the application once, not anew for each of eighty files: that was a third of the whole run.
    isolate: false,
    sequence: { sequencer: LongestFirst },
  },
});
