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

/** A file that a blueprint puts above all overlays. */
export interface BlueprintFile {
  /** Below the game's folder: `left4dead2/motd.txt`. */
  path: string;
  content: string;
}

/** What servers are made from: ordered overlays, arguments and configuration. Servers stay linked to it. */
@Entity('blueprints')
@Index('blueprints_name', ['ownerId', 'name'], { unique: true })
export class Blueprint {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Column('integer')
  ownerId: number;

  @ManyToOne(() => User, { nullable: false })
  @JoinColumn()
  owner: Relation<User>;

  @Column('text')
  name: string;

  @Column('text', { default: '' })
  description: string;

  /** srcds arguments, each one word of the command line; templates. */
  @Column('text', { array: true, default: '{}' })
  arguments: string[];

  /** Lines of server.cfg; a template. */
  @Column('text', { default: '' })
  config: string;

  /** Other files of the generated layer; their contents are templates. */
  @Column('jsonb', { default: [] })
  files: BlueprintFile[];

  /** Paths that the servers shall not see. */
  @Column('text', { array: true, default: '{}' })
  hide: string[];

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz' })
  updatedAt: Date;
}
