import {
  Column,
  CreateDateColumn,
  DeleteDateColumn,
  Entity,
  Index,
  PrimaryGeneratedColumn,
  VirtualColumn,
} from 'typeorm';
import { onlineSql } from './online.js';

/** A machine that runs game servers. Its worker writes what it knows of the machine here. */
@Entity('hosts')
export class HostRow {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Index('hosts_name', { unique: true })
  @Column('text')
  name: string;

  /** Where players find its servers; null: what the panel's public URL or its own machine says. */
  @Column('text', { nullable: true })
  address: string | null;

  /** /etc/machine-id of the machine that serves it; null until a worker has come. */
  @Column('text', { nullable: true })
  machineId: string | null;

  /** The state folder that worker keeps the host's servers in: a random id kept there. */
  @Column('text', { nullable: true })
  stateId: string | null;

  /** The running worker process; every one has its own. Updates of its jobs are fenced by it. */
  @Column('uuid', { nullable: true })
  incarnation: string | null;

  /** Null until a worker has come. */
  @Column('timestamptz', { nullable: true })
  workerSeenAt: Date | null;

  /** Its worker has ended in an orderly way: it is not waited for to be seen again. */
  @Column('boolean', { default: false })
  workerStopped: boolean;

  /** How many server jobs its worker runs at once; null until one has come. */
  @Column('integer', { nullable: true })
  workerConcurrency: number | null;

  /** Whether its worker lives. */
  @VirtualColumn({ type: 'boolean', query: onlineSql })
  online: boolean;

  @Column('text', { nullable: true })
  serviceManager: string | null;

  @Column('text', { nullable: true })
  isolation: 'namespaces' | 'copy' | null;

  @Column('text', { nullable: true })
  isolationReason: string | null;

  /** No steamcmd is configured: `install` sets up the demo runtime. */
  @Column('boolean', { default: false })
  demo: boolean;

  /** Steam's newest build of the game, as it said last; null: it was never asked, or there is no steamcmd. */
  @Column('text', { nullable: true })
  newestBuild: string | null;

  @Column('timestamptz', { nullable: true })
  newestBuildAt: Date | null;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;

  /** Until its worker comes again, only its jobs tell of it: TypeORM leaves it out, plain SQL does not. */
  @DeleteDateColumn({ type: 'timestamptz' })
  removedAt: Date | null;
}
