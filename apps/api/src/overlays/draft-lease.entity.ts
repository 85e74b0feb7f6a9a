import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { Overlay } from './overlay.entity.js';

export const LEASE_SECONDS = 30;

/** Somebody is changing an overlay's draft at this moment; its builds and others wait. Expires, should whoever took it be killed. */
@Entity('draft_leases')
@Check('draft_leases_aside', `num_nonnulls("replaces", "merges") = num_nonnulls("aside")`)
export class DraftLease {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Index('draft_leases_overlay', { unique: true })
  @Column('integer')
  overlayId: number;

  @ManyToOne(() => Overlay, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  overlay: Relation<Overlay>;

  @Column('timestamptz')
  expiresAt: Date;

  /** Of a change that replaces a folder: its path in the draft. */
  @Column('text', { nullable: true })
  replaces: string | null;

  /** Of a change that merges something into a folder: its path in the draft. */
  @Column('text', { nullable: true })
  merges: string | null;

  /** The name beside the drafts of the folder that is replaced, until the other one has its place, or of what is merged. */
  @Column('text', { nullable: true })
  aside: string | null;
}
