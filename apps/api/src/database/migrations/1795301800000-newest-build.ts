import type { MigrationInterface, QueryRunner } from 'typeorm';

export class NewestBuild1795301800000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "hosts" ADD "newest_build" text, ADD "newest_build_at" TIMESTAMP WITH TIME ZONE`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "hosts" DROP COLUMN "newest_build", DROP COLUMN "newest_build_at"`);
  }
}
