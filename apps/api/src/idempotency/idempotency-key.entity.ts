import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../users/user.entity.js';

/** A POST that was sent with an Idempotency-Key, and its answer. Kept for 24 hours. */
@Entity('idempotency_keys')
export class IdempotencyKey {
  @PrimaryColumn('integer')
  userId: number;

  @ManyToOne(() => User, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  user: Relation<User>;

  /** The path of the request, without its query. */
  @PrimaryColumn('text')
  path: string;

  @PrimaryColumn('text')
  key: string;

  /** HMAC of the body, which may hold a password, under the secret key: the same key with another body is a mistake of the client. */
  @Column('bytea')
  bodyHash: Buffer;

  /** The request in the panel: a job that it queues remembers it (jobs.request_id). */
  @Column('uuid')
  requestId: string;

  /** Null: being carried out, or cut off in the middle. */
  @Column('integer', { nullable: true })
  status: number | null;

  /** The answer's body as JSON. */
  @Column('text', { nullable: true })
  answer: string | null;

  @Column('text', { nullable: true })
  location: string | null;

  @Index('idempotency_keys_created')
  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;
}
