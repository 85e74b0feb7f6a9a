import type { MigrationInterface, QueryRunner } from 'typeorm';

export class JobCancellations1795301500000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "jobs" ADD "cancelled_by" integer`);
    await run.query(`ALTER TABLE "jobs" ADD "cancelled_at" TIMESTAMP WITH TIME ZONE`);
    await run.query(
      `ALTER TABLE "jobs" ADD CONSTRAINT "FK_0b1000d1a7f101e0c21641a27ed" FOREIGN KEY ("cancelled_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE NO ACTION`,
    );
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "jobs" DROP COLUMN "cancelled_at"`);
    await run.query(`ALTER TABLE "jobs" DROP COLUMN "cancelled_by"`);
  }
}
