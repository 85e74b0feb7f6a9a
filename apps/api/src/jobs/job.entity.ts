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
import { HostRow } from '../hosts/host.entity.js';
import { Overlay } from '../overlays/overlay.entity.js';
import { Server } from '../servers/server.entity.js';
import { User } from '../users/user.entity.js';

export const operations = ['install', 'initialize', 'start', 'stop', 'restart', 'delete', 'build-overlay'] as const;
export type Operation = (typeof operations)[number];
export const serverOperations = [
  'initialize',
  'start',
  'stop',
  'restart',
  'delete',
] as const satisfies readonly Operation[];
export type ServerOperation = (typeof serverOperations)[number];
export const jobStates = ['queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];
export type EndState = 'succeeded' | 'failed' | 'cancelled';
export const unfinished = ['queued', 'running', 'cancelling'] as const satisfies readonly JobState[];

/** One operation on a host: the durable record. Its twin in BullMQ only makes it run. */
@Entity('jobs')
@Check(
  'jobs_operation',
  `"operation" IN ('install', 'initialize', 'start', 'stop', 'restart', 'delete', 'build-overlay')`,
)
@Check('jobs_state', `"state" IN ('queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled')`)
@Check('jobs_finished', `("state" IN ('succeeded', 'failed', 'cancelled')) = ("finished_at" IS NOT NULL)`)
@Index('jobs_unfinished', ['hostId', 'id'], { where: `"finished_at" IS NULL` })
@Index('jobs_admitted', ['id'], { where: `"admitted_at" IS NOT NULL AND "finished_at" IS NULL` })
@Index('jobs_request', ['requestId'], { unique: true, where: `"request_id" IS NOT NULL` })
@Index('jobs_of_server', ['serverId', 'id'])
@Index('jobs_of_overlay', ['overlayId', 'id'])
export class Job {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Column('text')
  operation: Operation;

  @Column('text', { default: 'queued' })
  state: JobState;

  @Column('integer')
  hostId: number;

  @ManyToOne(() => HostRow, { onDelete: 'RESTRICT', nullable: false })
  @JoinColumn()
  host: Relation<HostRow>;

  @Column('integer', { nullable: true })
  serverId: number | null;

  @ManyToOne(() => Server, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn()
  server: Relation<Server> | null;

  /** The server's name when the job was queued: the record outlives the server's row. */
  @Column('text', { nullable: true })
  serverName: string | null;

  @Column('integer', { nullable: true })
  overlayId: number | null;

  @ManyToOne(() => Overlay, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn()
  overlay: Relation<Overlay> | null;

  @Column('text', { nullable: true })
  overlayName: string | null;

  @Column('integer', { nullable: true })
  userId: number | null;

  @ManyToOne(() => User, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn()
  user: Relation<User> | null;

  /** The build an `install` was asked for; null: the newest. */
  @Column('text', { nullable: true })
  build: string | null;

  /** What an `initialize` puts back from the trash: trash_entries.id, whose row may be gone since. Null: nothing. */
  @Column('integer', { nullable: true })
  restoreEntryId: number | null;

  /** The request with an Idempotency-Key that queued it; such a request queues one job, however often it is sent. */
  @Column('uuid', { nullable: true })
  requestId: string | null;

  /** When nothing conflicting was ahead any more; from then on it may run. */
  @Column('timestamptz', { nullable: true })
  admittedAt: Date | null;

  /** Number of its twin in BullMQ, `job-<id>.<twin>`; raised when a dead twin has to be replaced. */
  @Column('integer', { default: 0 })
  twin: number;

  /** The worker process that runs or ran it. */
  @Column('uuid', { nullable: true })
  incarnation: string | null;

  /** 0 succeeded; a failed command's return code (128 + signal); 1 any other error; null cancelled or interrupted. */
  @Column('integer', { nullable: true })
  exitCode: number | null;

  @Column('text', { nullable: true })
  error: string | null;

  @Column('real', { nullable: true })
  progressPercent: number | null;

  @Column('text', { nullable: true })
  progressText: string | null;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;

  @Column('timestamptz', { nullable: true })
  startedAt: Date | null;

  @Column('timestamptz', { nullable: true })
  finishedAt: Date | null;

  /** Who asked for its cancellation, which may have come too late for it. */
  @Column('integer', { nullable: true })
  cancelledBy: number | null;

  @ManyToOne(() => User, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn({ name: 'cancelled_by' })
  canceller: Relation<User> | null;

  @Column('timestamptz', { nullable: true })
  cancelledAt: Date | null;
}
