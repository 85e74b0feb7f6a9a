import { Check, Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

export const roles = ['admin', 'user'] as const;
export type Role = (typeof roles)[number];

/** Somebody who may log in. Users are disabled, never deleted: their jobs and servers keep an owner. */
@Entity('users')
@Check('users_role', `"role" IN ('admin', 'user')`)
export class User {
  @PrimaryGeneratedColumn('identity')
  id: number;

  /** Unique whatever its case: the index users_name is on lower(name), which TypeORM cannot express. */
  @Index('users_name', { synchronize: false })
  @Column('text')
  name: string;

  @Column('text')
  role: Role;

  /** argon2id, PHC string format. */
  @Column('text')
  passwordHash: string;

  @Column('boolean', { default: false })
  disabled: boolean;

  @Column('timestamptz', { nullable: true })
  lastLoginAt: Date | null;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;
}
