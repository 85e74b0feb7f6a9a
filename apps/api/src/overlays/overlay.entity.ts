import {
  Check,
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
import type { MissingItems, OverlayKind } from './overlay-kind.js';
import { User } from '../users/user.entity.js';

/** A named directory tree laid over the game: in the catalog (no owner) or somebody's own. */
@Entity('overlays')
@Check('overlays_kind', `"kind" IN ('files', 'workshop', 'script')`)
@Check('overlays_missing_items', `"missing_items" IN ('fail', 'skip')`)
@Index('overlays_catalog_name', ['name'], { unique: true, where: '"owner_id" IS NULL' })
@Index('overlays_own_name', ['ownerId', 'name'], { unique: true, where: '"owner_id" IS NOT NULL' })
export class Overlay {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Column('text')
  name: string;

  @Column('text', { default: '' })
  description: string;

  @Column('text', { default: 'files' })
  kind: OverlayKind;

  /** Whether a build fails or goes on without items of the Workshop that cannot be had. */
  @Column('text', { default: 'fail' })
  missingItems: MissingItems;

  /** Null: an overlay of the catalog, which everybody may use and admins manage. */
  @Column('integer', { nullable: true })
  ownerId: number | null;

  @ManyToOne(() => User, { nullable: true })
  @JoinColumn()
  owner: Relation<User> | null;

  /** When the draft was last written to; null: never. Compared with the current revision to tell whether a build would publish something. */
  @Column('timestamptz', { nullable: true })
  draftChangedAt: Date | null;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz' })
  updatedAt: Date;
}
