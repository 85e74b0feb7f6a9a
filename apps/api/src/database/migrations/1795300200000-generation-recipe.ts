import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The generation in use, and what each was made of: from both follows what the next start will change. */
export class GenerationRecipe1795300200000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "servers" ADD "generation" integer`);
    await run.query(`ALTER TABLE "generations" ADD "recipe" jsonb NOT NULL`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`ALTER TABLE "generations" DROP COLUMN "recipe"`);
    await run.query(`ALTER TABLE "servers" DROP COLUMN "generation"`);
  }
}
