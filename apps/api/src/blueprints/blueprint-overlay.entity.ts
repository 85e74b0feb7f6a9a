import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Overlay } from '../overlays/overlay.entity.js';
import { Blueprint } from './blueprint.entity.js';

/** An overlay's place in a blueprint; position 0 is the topmost and wins. */
@Entity('blueprint_overlays')
@Index('blueprint_overlays_once', ['blueprintId', 'overlayId'], { unique: true })
export class BlueprintOverlay {
  @PrimaryColumn('integer')
  blueprintId: number;

  @ManyToOne(() => Blueprint, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  blueprint: Relation<Blueprint>;

  @PrimaryColumn('integer')
  position: number;

  @Index('blueprint_overlays_overlay')
  @Column('integer')
  overlayId: number;

  @ManyToOne(() => Overlay, { onDelete: 'RESTRICT', nullable: false })
  @JoinColumn()
  overlay: Relation<Overlay>;

  @Column('boolean', { default: false })
  exposeServerCfg: boolean;
}
