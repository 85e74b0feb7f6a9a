import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ServerUsage1795301700000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "servers" ADD "usage" jsonb`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "servers" DROP COLUMN "usage"`);
  }
}
