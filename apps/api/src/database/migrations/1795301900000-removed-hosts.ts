import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RemovedHosts1795301900000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "hosts" ADD "removed_at" TIMESTAMP WITH TIME ZONE`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "hosts" DROP COLUMN "removed_at"`);
  }
}
