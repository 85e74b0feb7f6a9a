import type { MigrationInterface, QueryRunner } from 'typeorm';

/** "Anna" and "anna" would be two accounts that people take for one. */
export class UserNames1795300100000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`DROP INDEX "users_name"`);
    await run.query(`CREATE UNIQUE INDEX "users_name" ON "users" (lower("name"))`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`DROP INDEX "users_name"`);
    await run.query(`CREATE UNIQUE INDEX "users_name" ON "users" ("name")`);
  }
}
