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
} from 'typeorm';
import { Overlay } from '../overlays/overlay.entity.js';

/** An item or a collection of an overlay, with what Steam last said of it. */
@Entity('workshop_items')
@Index('workshop_items_file', ['overlayId', 'publishedFileId'], { unique: true })
@Check('workshop_items_kind', `"kind" IN ('item', 'collection')`)
export class WorkshopItem {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Column('integer')
  overlayId: number;

  @ManyToOne(() => Overlay, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  overlay: Relation<Overlay>;

  @Column('text')
  publishedFileId: string;

  /** Somebody put it into the overlay; false: it came with a collection and goes with it. */
  @Column('boolean')
  listed: boolean;

  /** What its file is to be called; null: `<publishedFileId>.vpk`. */
  @Column('text', { nullable: true })
  fileName: string | null;

  /** Null until Steam has said it. */
  @Column('text', { nullable: true })
  kind: 'item' | 'collection' | null;

  @Column('text', { nullable: true })
  title: string | null;

  @Column('bigint', { nullable: true })
  bytes: string | null;

  @Column('text', { nullable: true })
  previewUrl: string | null;

  /** When its author last changed it. */
  @Column('timestamptz', { nullable: true })
  steamUpdatedAt: Date | null;

  /** Of its content, as Steam has it now; null when it cannot be had. */
  @Column('text', { nullable: true })
  version: string | null;

  /** Why Steam does not give it. */
  @Column('text', { nullable: true })
  problem: string | null;

  /** What is wrong with the file of this version. */
  @Column('text', { nullable: true })
  fileProblem: string | null;

  /** When Steam last said something of it. */
  @Column('timestamptz', { nullable: true })
  refreshedAt: Date | null;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;
}
