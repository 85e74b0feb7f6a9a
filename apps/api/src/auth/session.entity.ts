import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from '../users/user.entity.js';

/** A browser's login. The cookie holds the secret, the table only its SHA-256. */
@Entity('sessions')
export class Session {
  @PrimaryColumn('bytea')
  secretHash: Buffer;

  @Index('sessions_user')
  @Column('integer')
  userId: number;

  @ManyToOne(() => User, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  user: Relation<User>;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;

  @Column('timestamptz')
  expiresAt: Date;
}
