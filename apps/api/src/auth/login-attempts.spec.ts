import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TooManyAttempts } from '../problems/problems.js';
import { LoginAttempts } from './login-attempts.js';

const MINUTE = 60_000;

let attempts: LoginAttempts;
beforeEach(() => {
  vi.useFakeTimers();
  attempts = new LoginAttempts();
});
afterEach(() => vi.useRealTimers());

const fail = (times: number, name = 'anna', address = '192.0.2.1') => {
  for (let i = 0; i < times; i += 1) attempts.begin(name, address);
};

describe('LoginAttempts', () => {
  it('stops a name from an address after ten failures, until a quarter of an hour has gone', () => {
    fail(10);
    expect(() => fail(1)).toThrow(TooManyAttempts);
    expect(() => fail(1, 'ANNA')).toThrow(TooManyAttempts);
    expect(() => fail(1, 'ben')).not.toThrow();
    expect(() => fail(1, 'anna', '192.0.2.2')).not.toThrow();
    vi.advanceTimersByTime(15 * MINUTE);
    expect(() => fail(1)).not.toThrow();
  });

  it('forgets the failures of a name that got in', () => {
    fail(9);
    attempts.begin('anna', '192.0.2.1');
    attempts.succeed('anna', '192.0.2.1');
    expect(() => fail(10)).not.toThrow();
  });

  it('stops an address that tries many names', () => {
    for (let i = 0; i < 100; i += 1) fail(1, `name-${i}`);
    expect(() => fail(1, 'another')).toThrow(TooManyAttempts);
  });

  it('does not count those who get in against their address', () => {
    for (let i = 0; i < 300; i += 1) {
      attempts.begin(`name-${i}`, '192.0.2.1');
      attempts.succeed(`name-${i}`, '192.0.2.1');
    }
    expect(() => fail(1)).not.toThrow();
  });
});
