import { describe, expect, it } from 'vitest';
import { type Operation, operations } from '../job.entity.js';
import { OperationHandlers } from './operation-handler.js';

const handler = (...names: Operation[]) => ({ operations: names, limitSeconds: 1, run: () => Promise.resolve() });

describe('the handlers of operations', () => {
  it('are refused when an operation has none', () => {
    const all = operations.filter((operation) => operation !== 'restart');
    expect(() => new OperationHandlers([handler(...all)])).toThrow('These operations have no handler: restart.');
  });

  it('are refused when an operation has two', () => {
    expect(() => new OperationHandlers([handler(...operations), handler('stop')])).toThrow(
      'Operation stop has two handlers.',
    );
  });

  it('are found by name; one that a newer version wrote is not', () => {
    const handlers = new OperationHandlers([handler(...operations)]);
    expect(handlers.find('stop')?.operations).toContain('stop');
    expect(handlers.find('teleport')).toBeUndefined();
  });
});
