import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The bodies' hashes were made without a key, and some of the bodies hold passwords. */
export class ForgetPlainBodyHashes1795300400000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`DELETE FROM "idempotency_keys"`);
  }

  async down(run: QueryRunner): Promise<void> {
    // Hashes made with a key fit no body for a panel that makes them without.
    await run.query(`DELETE FROM "idempotency_keys"`);
  }
}
