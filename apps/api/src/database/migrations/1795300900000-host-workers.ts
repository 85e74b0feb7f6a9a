import type { MigrationInterface, QueryRunner } from 'typeorm';

export class HostWorkers1795300900000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "hosts" ADD "worker_stopped" boolean NOT NULL DEFAULT false`);
    await run.query(`ALTER TABLE "hosts" ADD "worker_concurrency" integer`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "hosts" DROP COLUMN "worker_concurrency"`);
    await run.query(`ALTER TABLE "hosts" DROP COLUMN "worker_stopped"`);
  }
}
