import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { Overlay } from './overlay.entity.js';

/** Somebody is changing an overlay's draft at this moment; its builds wait. Expires, should whoever took it be killed. */
@Entity('draft_leases')
export class DraftLease {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Index('draft_leases_overlay')
  @Column('integer')
  overlayId: number;

  @ManyToOne(() => Overlay, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  overlay: Relation<Overlay>;

  @Column('timestamptz')
  expiresAt: Date;
}
