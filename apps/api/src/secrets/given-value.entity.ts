import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { Server } from '../servers/server.entity.js';
import { TrashEntryRow } from '../trash/trash-entry.entity.js';

/**
 * A secret or RCON password that a server was given, and may have repeated in what it wrote: masked for as long as that is there, in the
 * server or in the trash.
 */
@Entity('given_values')
@Check('given_values_holder', `num_nonnulls("server_id", "trash_entry_id") = 1`)
@Index('given_values_server', ['serverId', 'digest'], { unique: true })
@Index('given_values_trash_entry', ['trashEntryId', 'digest'], { unique: true })
export class GivenValue {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Column('integer', { nullable: true })
  serverId: number | null;

  @ManyToOne(() => Server, { onDelete: 'CASCADE', nullable: true })
  @JoinColumn()
  server: Relation<Server> | null;

  @Column('integer', { nullable: true })
  trashEntryId: number | null;

  @ManyToOne(() => TrashEntryRow, { onDelete: 'CASCADE', nullable: true })
  @JoinColumn()
  trashEntry: Relation<TrashEntryRow> | null;

  /** Tells whether two are the same, and nothing else (`SealedTexts.digest`). */
  @Column('bytea')
  digest: Buffer;

  /** Encrypted with SECRET_KEY. */
  @Column('bytea')
  sealed: Buffer;

  /** When the server was last given it. */
  @Column('timestamptz')
  givenAt: Date;
}
