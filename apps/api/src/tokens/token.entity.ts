import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { User } from '../users/user.entity.js';

export const scopes = ['read', 'operate', 'manage'] as const;
export type Scope = (typeof scopes)[number];

/** A script's key to the API. Shown once; the table holds only its SHA-256. */
@Entity('tokens')
export class Token {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Index('tokens_user')
  @Column('integer')
  userId: number;

  @ManyToOne(() => User, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  user: Relation<User>;

  @Column('text')
  name: string;

  @Index('tokens_secret_hash', { unique: true })
  @Column('bytea')
  secretHash: Buffer;

  @Column('text', { array: true })
  scopes: Scope[];

  /** The only servers the token may touch; null: all of the user's. */
  @Column('integer', { array: true, nullable: true })
  serverIds: number[] | null;

  @Column('timestamptz', { nullable: true })
  expiresAt: Date | null;

  @Column('timestamptz', { nullable: true })
  lastUsedAt: Date | null;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;
}
