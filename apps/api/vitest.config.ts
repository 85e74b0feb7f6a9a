import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A file that takes minutes and begins last would leave the other workers with nothing to do. */
const MINUTES = /\/test\/(crash-matrix|chaos)\/|\/test\/(two-hosts|pages)\.spec\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const takesMinutes = ({ moduleId }: TestSpecification): boolean => MINUTES.test(moduleId);
    return [...sorted.filter(takesMinutes), ...sorted.filter((file) => !takesMinutes(file))];
  }
}

export default defineConfig({
  resolve: { conditions: ['left4me-source'] },
  ssr: { resolve: { conditions: ['left4me-source', 'node'] } },
  test: {
    include: ['src/**/*.spec.ts', 'test/**/*.spec.ts'],
    globalSetup: ['test/services.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // The tests of the real panel mostly wait: for installs, for lines, for queries that time out.
    maxWorkers: 3,
    // A worker loads the application once, not anew for each of eighty files: that was a third of the whole run.
    isolate: false,
    sequence: { sequencer: LongestFirst },
  },
});
