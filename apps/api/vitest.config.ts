import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['left4me-source'] },
  ssr: { resolve: { conditions: ['left4me-source', 'node'] } },
  test: {
    include: ['src/**/*.spec.ts', 'test/**/*.spec.ts'],
    globalSetup: ['test/services.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // The tests of the real panel mostly wait: for installs, for lines, for queries that time out.
    maxWorkers: 2,
  },
});
