import type { MigrationInterface, QueryRunner } from 'typeorm';

export class MergedFolders1795304600000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "draft_leases" ADD "merges" text,
      DROP CONSTRAINT "draft_leases_replaces",
      ADD CONSTRAINT "draft_leases_aside" CHECK (num_nonnulls("replaces", "merges") = num_nonnulls("aside"))`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`DELETE FROM "draft_leases" WHERE "merges" IS NOT NULL`);
    await run.query(`ALTER TABLE "draft_leases" DROP CONSTRAINT "draft_leases_aside", DROP COLUMN "merges",
      ADD CONSTRAINT "draft_leases_replaces" CHECK (("replaces" IS NULL) = ("aside" IS NULL))`);
  }
}
