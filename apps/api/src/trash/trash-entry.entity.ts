import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { HostRow } from '../hosts/host.entity.js';
import { Job } from '../jobs/job.entity.js';
import { Server } from '../servers/server.entity.js';
import { User } from '../users/user.entity.js';

/**
 * What a server wrote itself, put away by one of its jobs. It is its owner's for ever: whoever has the server's name later has no part
 * in it.
 */
@Entity('trash_entries')
@Index('trash_entries_path', ['hostId', 'path'], { unique: true })
@Index('trash_entries_owner', ['ownerId'])
export class TrashEntryRow {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Column('integer')
  hostId: number;

  @ManyToOne(() => HostRow, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  host: Relation<HostRow>;

  /** Below trash/ on its host. */
  @Column('text')
  path: string;

  /** The server's name then. */
  @Column('text')
  serverName: string;

  /** The server it is of; null: it has been deleted, or nobody knows. */
  @Column('integer', { nullable: true })
  serverId: number | null;

  @ManyToOne(() => Server, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn()
  server: Relation<Server> | null;

  /** Whose server it was; null: nobody knows, so it is the admins'. */
  @Column('integer', { nullable: true })
  ownerId: number | null;

  @ManyToOne(() => User, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn()
  owner: Relation<User> | null;

  /** The job that put it away; null: l4d2ctl has. */
  @Column('integer', { nullable: true })
  jobId: number | null;

  @ManyToOne(() => Job, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn()
  job: Relation<Job> | null;

  /** Null: not known. */
  @Column('integer', { nullable: true })
  files: number | null;

  /** On the disk; null: not known. */
  @Column('bigint', { nullable: true })
  bytes: string | null;

  @Column('timestamptz')
  deletedAt: Date;

  /** The last job that set out to put it back. */
  @Column('integer', { nullable: true })
  restoreJobId: number | null;

  @ManyToOne(() => Job, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn()
  restoreJob: Relation<Job> | null;

  /** When that job put it back: it is not in the trash any more, and the row only tells so. */
  @Column('timestamptz', { nullable: true })
  restoredAt: Date | null;

  /** When somebody asked for its removal, or it was old enough: from then on it cannot be restored. */
  @Column('timestamptz', { nullable: true })
  purgeBegunAt: Date | null;

  /** Why the last attempt to remove it failed; null: there was none, or it succeeded. */
  @Column('text', { nullable: true })
  purgeProblem: string | null;
}
