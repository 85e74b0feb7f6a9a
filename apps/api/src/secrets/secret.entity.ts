import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  UpdateDateColumn,
} from 'typeorm';
import { User } from '../users/user.entity.js';

/** What a user's blueprints call `{{secret.<name>}}`. Nobody is ever shown its value. */
@Entity('secrets')
@Index('secrets_name', ['ownerId', 'name'], { unique: true })
export class Secret {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Column('integer')
  ownerId: number;

  @ManyToOne(() => User, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  owner: Relation<User>;

  @Column('text')
  name: string;

  /** Counts the values it has had: tells a server that has an earlier one, without telling anything of the value. */
  @Column('integer', { default: 1 })
  version: number;

  /** Encrypted with SECRET_KEY. */
  @Column('bytea')
  sealed: Buffer;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz' })
  updatedAt: Date;
}
