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
import { Job } from '../jobs/job.entity.js';
import { Overlay } from './overlay.entity.js';

/** A published, immutable state of an overlay. On disk: overlays/<overlayId>/<number>/. */
@Entity('overlay_revisions')
@Index('overlay_revisions_number', ['overlayId', 'number'], { unique: true })
@Index('overlay_revisions_current', ['overlayId'], { unique: true, where: '"current"' })
export class OverlayRevision {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Column('integer')
  overlayId: number;

  @ManyToOne(() => Overlay, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  overlay: Relation<Overlay>;

  @Column('integer')
  number: number;

  @Column('boolean', { default: false })
  current: boolean;

  /** When somebody went back to it; null: it is current, if it is, because it is the newest. */
  @Column('timestamptz', { nullable: true })
  returnedAt: Date | null;

  @Column('integer', { nullable: true })
  jobId: number | null;

  @ManyToOne(() => Job, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn()
  job: Relation<Job> | null;

  @Column('integer')
  files: number;

  @Column('bigint')
  bytes: string;

  @Column('text')
  contentHash: string;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;
}
