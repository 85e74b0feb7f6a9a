import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SecretValues } from './secret-values.js';

/** Of a server: whoever shows something of it has all of them in memory. One generation has 201 at most. */
const MOST_KEPT = 1000;

/**
 * What servers were given, and so may have repeated (docs/decisions/0115). It outlives the secrets, and goes into the trash and out of it
 * with what the servers wrote (`TrashRows`).
 */
@Injectable()
export class GivenValues {
  constructor(private readonly values: SecretValues) {}

  /** In the transaction that decides on them, before anything of them is on the disk. Forgets the oldest of too many. */
  async note(serverId: number, values: readonly string[], manager: EntityManager): Promise<void> {
    const distinct = [...new Set(values)];
    await manager.query(
      `INSERT INTO given_values (server_id, digest, sealed, given_at)
       SELECT $1, given.digest, given.sealed, now() FROM unnest($2::bytea[], $3::bytea[]) AS given (digest, sealed)
       ON CONFLICT (server_id, digest) DO UPDATE SET given_at = now()`,
      [serverId, distinct.map((value) => this.values.digest(value)), distinct.map((value) => this.values.seal(value))],
    );
    await manager.query(
      `DELETE FROM given_values WHERE id IN (
         SELECT id FROM given_values WHERE server_id = $1 ORDER BY given_at DESC, id DESC OFFSET $2)`,
      [serverId, MOST_KEPT],
    );
  }
}
