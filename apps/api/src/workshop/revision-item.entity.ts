import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { OverlayRevision } from '../overlays/revision.entity.js';

/** Which version of an item a revision holds, and under which name. */
@Entity('workshop_revision_items')
export class RevisionItem {
  @PrimaryColumn('integer')
  revisionId: number;

  @ManyToOne(() => OverlayRevision, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  revision: Relation<OverlayRevision>;

  @PrimaryColumn('text')
  publishedFileId: string;

  @Column('text')
  version: string;

  @Column('text')
  fileName: string;
}
