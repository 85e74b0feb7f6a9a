import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.spec.ts'],
    root: import.meta.dirname,
    // One machine, whose story the tests tell in order: what comes after a failure means nothing.
    fileParallelism: false,
    bail: 1,
    testTimeout: 180_000,
    hookTimeout: 600_000,
    reporters: ['verbose'],
  },
});
