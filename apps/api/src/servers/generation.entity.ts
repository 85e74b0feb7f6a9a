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
import { RuntimeBuild } from '../hosts/runtime-build.entity.js';
import { type Recipe } from './recipe.js';
import { Server } from './server.entity.js';

/** What one initialize prepared for an instance. Its rows pin a runtime build and revisions: what is pinned is never removed. */
@Entity('generations')
export class Generation {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Index('generations_server')
  @Column('integer')
  serverId: number;

  @ManyToOne(() => Server, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  server: Relation<Server>;

  /** The folder generations/<number> of the instance; null until the host has made it. */
  @Column('integer', { nullable: true })
  number: number | null;

  @Column('integer')
  runtimeBuildId: number;

  @ManyToOne(() => RuntimeBuild, { onDelete: 'RESTRICT', nullable: false })
  @JoinColumn()
  runtimeBuild: Relation<RuntimeBuild>;

  /** SHA-256 of what the recipe decides: tells whether the blueprint or the server has changed since. */
  @Column('text')
  specHash: string;

  /** What server and blueprint said then, without secrets: tells what has changed since. */
  @Column('jsonb')
  recipe: Recipe;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;
}
