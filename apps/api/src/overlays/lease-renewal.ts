import type { DataSource } from 'typeorm';
import { LEASE_SECONDS } from './draft-lease.entity.js';

const RENEWED_MS = 10_000;

/** Renews a lease of a draft for as long as the work takes. */
export async function whileRenewing<T>(database: DataSource, lease: number, work: () => Promise<T>): Promise<T> {
  const renewal = setInterval(() => void renew(database, lease), RENEWED_MS);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
  }
}

/** When this fails the lease expires, and the next renewal or the build tells. */
async function renew(database: DataSource, lease: number): Promise<void> {
  await database
    .query(`UPDATE draft_leases SET expires_at = clock_timestamp() + make_interval(secs => $2) WHERE id = $1`, [
      lease,
      LEASE_SECONDS,
    ])
    .catch(() => undefined);
}
