import type { MigrationInterface, QueryRunner } from 'typeorm';

export class HostAddresses1795301600000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "hosts" ADD "address" text`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "hosts" DROP COLUMN "address"`);
  }
}
