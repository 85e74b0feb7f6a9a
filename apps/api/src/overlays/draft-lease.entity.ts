import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { Overlay } from './overlay.entity.js';

export const LEASE_SECONDS = 30;

/** Somebody is changing an overlay's draft at this moment; its builds and others wait. Expires, should whoever took it be killed. */
@Entity('draft_leases')
@Check('draft_leases_replaces', `("replaces" IS NULL) = ("aside" IS NULL)`)
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

  /** The name beside the drafts that this folder has until the other one has its place. */
  @Column('text', { nullable: true })
  aside: string | null;
}
