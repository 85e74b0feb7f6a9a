import type { MigrationInterface, QueryRunner } from 'typeorm';

export class IdempotencyKeys1795300300000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(
      `CREATE TABLE "idempotency_keys" ("user_id" integer NOT NULL, "path" text NOT NULL, "key" text NOT NULL, "body_hash" bytea NOT NULL, "status" integer, "answer" text, "location" text, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_90fe0d9f7844de3375a8bb8ae47" PRIMARY KEY ("user_id", "path", "key"))`,
    );
    await run.query(`CREATE INDEX "idempotency_keys_created" ON "idempotency_keys"  ("created_at") `);
    await run.query(
      `ALTER TABLE "idempotency_keys" ADD CONSTRAINT "FK_4d2181624ba2d61e76a07175198" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(`DROP TABLE "idempotency_keys"`);
  }
}
