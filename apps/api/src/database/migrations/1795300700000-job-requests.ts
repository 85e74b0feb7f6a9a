import type { MigrationInterface, QueryRunner } from 'typeorm';

export class JobRequests1795300700000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "idempotency_keys" ADD "request_id" uuid NOT NULL DEFAULT gen_random_uuid()`);
    await run.query(`ALTER TABLE "idempotency_keys" ALTER COLUMN "request_id" DROP DEFAULT`);
    await run.query(`ALTER TABLE "jobs" ADD "request_id" uuid`);
    await run.query(`CREATE UNIQUE INDEX "jobs_request" ON "jobs" ("request_id") WHERE "request_id" IS NOT NULL`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "jobs" DROP COLUMN "request_id"`);
    await run.query(`ALTER TABLE "idempotency_keys" DROP COLUMN "request_id"`);
  }
}
