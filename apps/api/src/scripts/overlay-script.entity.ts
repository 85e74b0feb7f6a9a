import { Column, Entity, JoinColumn, OneToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Overlay } from '../overlays/overlay.entity.js';

/** What makes the files of a script overlay. Beside the overlays, whose lists need not carry it. */
@Entity('overlay_scripts')
export class OverlayScript {
  @PrimaryColumn('integer')
  overlayId: number;

  @OneToOne(() => Overlay, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  overlay: Relation<Overlay>;

  /** Bash. */
  @Column('text')
  text: string;
}
