import type { MigrationInterface, QueryRunner } from 'typeorm';

export class UploadSources1795304500000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "draft_uploads" ADD "source" jsonb`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "draft_uploads" DROP COLUMN "source"`);
  }
}
