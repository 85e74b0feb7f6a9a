import type { MigrationInterface, QueryRunner } from 'typeorm';

export class HostState1795300500000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "hosts" ADD "state_id" text`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "hosts" DROP COLUMN "state_id"`);
  }
}
