import { Injectable } from '@nestjs/common';
import { TooManyAttempts } from '../problems/problems.js';

const MINUTE = 60 * 1000;
const WINDOW = 15 * MINUTE;
/** Failures within the window that are still answered. */
const PER_NAME_AND_ADDRESS = 10;
const PER_ADDRESS = 100;
const MEMORY = 20_000;

interface Count {
  failures: number;
  until: number;
}

/**
 * Slows down guessing of passwords: per name and address, and per address for those who try many names. Kept in memory,
 * since losing it costs nothing; bounded, since names and addresses come from outside.
 */
@Injectable()
export class LoginAttempts {
  private readonly counts = new Map<string, Count>();

  /**
   * Counts an attempt before its password is checked, so that many at once do not slip through.
   * @throws TooManyAttempts
   */
  begin(name: string, address: string): void {
    const now = Date.now();
    for (const [key, limit] of this.limits(name, address)) {
      const count = this.counts.get(key);
      if (count && count.until > now && count.failures >= limit) {
        const seconds = Math.ceil((count.until - now) / 1000);
        throw new TooManyAttempts(`Too many failed logins. Try again in ${Math.ceil(seconds / 60)} min.`, seconds);
      }
    }
    for (const [key] of this.limits(name, address)) {
      const count = this.counts.get(key);
      if (count && count.until > now) count.failures += 1;
      else this.remember(key, { failures: 1, until: now + WINDOW });
    }
  }

  /** The attempt was right: it does not count, and the name starts anew from that address. */
  succeed(name: string, address: string): void {
    this.counts.delete(nameKey(name, address));
    const count = this.counts.get(address);
    if (count) count.failures -= 1;
  }

  private limits(name: string, address: string): [string, number][] {
    return [
      [nameKey(name, address), PER_NAME_AND_ADDRESS],
      [address, PER_ADDRESS],
    ];
  }

  private remember(key: string, count: Count): void {
    // A Map keeps the order of insertion: what goes is the oldest.
    this.counts.delete(key);
    this.counts.set(key, count);
    const oldest = this.counts.keys().next();
    if (this.counts.size > MEMORY && !oldest.done) this.counts.delete(oldest.value);
  }
}

function nameKey(name: string, address: string): string {
  return `${address} ${name.toLowerCase()}`;
}
