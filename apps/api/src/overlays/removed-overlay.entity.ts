import { CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** A deleted overlay whose files may still be there. Ids are never used again. */
@Entity('removed_overlays')
export class RemovedOverlay {
  @PrimaryColumn('integer')
  overlayId: number;

  @CreateDateColumn({ type: 'timestamptz' })
  removedAt: Date;
}
