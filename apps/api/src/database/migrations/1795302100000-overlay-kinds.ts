import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OverlayKinds1795302100000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "overlays" DROP CONSTRAINT "overlays_kind"`);
    await run.query(
      `ALTER TABLE "overlays" ADD CONSTRAINT "overlays_kind" CHECK ("kind" IN ('files', 'workshop', 'script'))`,
    );
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "overlays" DROP CONSTRAINT "overlays_kind"`);
    await run.query(`ALTER TABLE "overlays" ADD CONSTRAINT "overlays_kind" CHECK ("kind" IN ('files'))`);
  }
}
