import { describe, expect, it } from 'vitest';
import { RconPasswords } from './rcon-password.js';

const passwords = (secretKey: string) => new RconPasswords({ secretKey });

describe('RconPasswords', () => {
  it('makes 32 letters and digits, another one each time', () => {
    const some = passwords('k'.repeat(32));
    const opened = [some.open(some.generate()), some.open(some.generate())];
    for (const password of opened) expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(opened[0]).not.toBe(opened[1]);
  });

  it('does not store the password readably, nor twice the same way', () => {
    const some = passwords('k'.repeat(32));
    const [first, second] = [some.seal('password'), some.seal('password')];
    expect(first.includes('password')).toBe(false);
    expect(first.equals(second)).toBe(false);
    expect(some.open(second)).toBe('password');
  });

  it('refuses another key, changed bytes and unknown forms', () => {
    const some = passwords('k'.repeat(32));
    const sealed = some.seal('password');
    expect(() => passwords('x'.repeat(32)).open(sealed)).toThrow(/SECRET_KEY/);
    for (const at of [1, 13, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => some.open(changed)).toThrow(/SECRET_KEY/);
    }
    expect(() => some.open(Buffer.concat([Buffer.of(2), sealed.subarray(1)]))).toThrow(/does not know/);
    expect(() => some.open(Buffer.alloc(0))).toThrow(/does not know/);
  });
});
