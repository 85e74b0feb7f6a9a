import { Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { OverlayRevision } from '../overlays/revision.entity.js';
import { Generation } from './generation.entity.js';

/** A generation's pin on a revision: a foreign key, so that a pinned revision cannot be removed. */
@Entity('generation_revisions')
export class GenerationRevision {
  @PrimaryColumn('integer')
  generationId: number;

  @ManyToOne(() => Generation, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  generation: Relation<Generation>;

  @Index('generation_revisions_revision')
  @PrimaryColumn('integer')
  revisionId: number;

  @ManyToOne(() => OverlayRevision, { onDelete: 'RESTRICT', nullable: false })
  @JoinColumn()
  revision: Relation<OverlayRevision>;
}
