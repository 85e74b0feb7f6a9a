import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ReplacedFolders1795304100000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`DELETE FROM "draft_leases"`);
    await run.query(`DROP INDEX "draft_leases_overlay"`);
    await run.query(`CREATE UNIQUE INDEX "draft_leases_overlay" ON "draft_leases" ("overlay_id")`);
    await run.query(`ALTER TABLE "draft_leases" ADD "replaces" text, ADD "aside" text,
      ADD CONSTRAINT "draft_leases_replaces" CHECK (("replaces" IS NULL) = ("aside" IS NULL))`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "draft_leases" DROP COLUMN "replaces", DROP COLUMN "aside"`);
    await run.query(`DROP INDEX "draft_leases_overlay"`);
    await run.query(`CREATE INDEX "draft_leases_overlay" ON "draft_leases" ("overlay_id")`);
  }
}
