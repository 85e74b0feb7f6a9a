import type { MigrationInterface, QueryRunner } from 'typeorm';

export class PurgeProblems1795303043000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "trash_entries" ADD "purge_problem" text`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "trash_entries" DROP COLUMN "purge_problem"`);
  }
}
