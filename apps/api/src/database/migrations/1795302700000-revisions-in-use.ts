import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Going back to an earlier revision, and what is left to remove of deleted overlays. */
export class RevisionsInUse1795302700000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "overlay_revisions" ADD "returned_at" TIMESTAMP WITH TIME ZONE`);
    await run.query(
      `CREATE TABLE "removed_overlays" ("overlay_id" integer NOT NULL, "removed_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_73cf058dca5f8170d8fed23bf90" PRIMARY KEY ("overlay_id"))`,
    );
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`DROP TABLE "removed_overlays"`);
    await run.query(`ALTER TABLE "overlay_revisions" DROP COLUMN "returned_at"`);
  }
}
