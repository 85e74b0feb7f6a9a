import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SecretKeyCheck1795301000000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(
      `CREATE TABLE "secret_key_check" ("only" boolean NOT NULL DEFAULT true CHECK ("only"), "value" bytea NOT NULL, PRIMARY KEY ("only"))`,
    );
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`DROP TABLE "secret_key_check"`);
  }
}
