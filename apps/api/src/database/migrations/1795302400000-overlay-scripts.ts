import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OverlayScripts1795302400000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(
      `CREATE TABLE "overlay_scripts" ("overlay_id" integer NOT NULL, "text" text NOT NULL, CONSTRAINT "PK_b3ddfd1f7f83306006265151b8d" PRIMARY KEY ("overlay_id"))`,
    );
    await run.query(
      `ALTER TABLE "overlay_scripts" ADD CONSTRAINT "FK_b3ddfd1f7f83306006265151b8d" FOREIGN KEY ("overlay_id") REFERENCES "overlays"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`DROP TABLE "overlay_scripts"`);
  }
}
