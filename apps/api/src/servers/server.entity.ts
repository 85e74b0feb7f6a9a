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
  UpdateDateColumn,
} from 'typeorm';
import { Blueprint } from '../blueprints/blueprint.entity.js';
import { HostRow } from '../hosts/host.entity.js';
import { User } from '../users/user.entity.js';
import type { ServerUsage } from './server-usage.js';

export const desiredStates = ['absent', 'stopped', 'running'] as const;
export type DesiredState = (typeof desiredStates)[number];
export const actualStates = ['absent', 'stopped', 'starting', 'running', 'stopping', 'failed', 'unknown'] as const;
export type ActualState = (typeof actualStates)[number];

/** A game server: what is wanted of it, and what was last seen of its instance on the host. */
@Entity('servers')
@Check('servers_port', `"port" BETWEEN 1024 AND 65535`)
@Check('servers_desired_state', `"desired_state" IN ('absent', 'stopped', 'running')`)
@Check(
  'servers_actual_state',
  `"actual_state" IN ('absent', 'stopped', 'starting', 'running', 'stopping', 'failed', 'unknown')`,
)
@Index('servers_name', ['hostId', 'name'], { unique: true })
@Index('servers_port_once', ['hostId', 'port'], { unique: true })
export class Server {
  @PrimaryGeneratedColumn('identity')
  id: number;

  /** Names the instance on the host: ^[a-z0-9][a-z0-9-]{0,31}$. */
  @Column('text')
  name: string;

  @Column('text')
  title: string;

  /** UDP (game, A2S) and TCP (RCON) alike. */
  @Column('integer')
  port: number;

  @Column('integer')
  hostId: number;

  @ManyToOne(() => HostRow, { onDelete: 'RESTRICT', nullable: false })
  @JoinColumn()
  host: Relation<HostRow>;

  @Index('servers_blueprint')
  @Column('integer')
  blueprintId: number;

  @ManyToOne(() => Blueprint, { onDelete: 'RESTRICT', nullable: false })
  @JoinColumn()
  blueprint: Relation<Blueprint>;

  @Index('servers_owner')
  @Column('integer')
  ownerId: number;

  @ManyToOne(() => User, { nullable: false })
  @JoinColumn()
  owner: Relation<User>;

  @Column('text', { default: 'absent' })
  desiredState: DesiredState;

  @Column('text', { default: 'absent' })
  actualState: ActualState;

  /** When the actual state was last confirmed. */
  @Column('timestamptz', { nullable: true })
  actualStateAt: Date | null;

  /** Counts the writes of the actual state and the jobs begun: a slow poll that began before one is dropped. */
  @Column('integer', { default: 0 })
  stateFence: number;

  /** The generation on the host that runs, or ran last: generations/<number>. Null: none, or not started yet. */
  @Column('integer', { nullable: true })
  generation: number | null;

  /** A2S answered; null: not known. */
  @Column('boolean', { nullable: true })
  ready: boolean | null;

  @Column('timestamptz', { nullable: true })
  readyAt: Date | null;

  @Column('text', { nullable: true })
  map: string | null;

  @Column('integer', { nullable: true })
  players: number | null;

  @Column('integer', { nullable: true })
  maxPlayers: number | null;

  /** What it used when the poller last looked; null: it does not run, or nobody counts. */
  @Column('jsonb', { nullable: true })
  usage: ServerUsage | null;

  @Column('text', { nullable: true })
  lastError: string | null;

  /** The panel's own RCON password, encrypted with SECRET_KEY. */
  @Column('bytea')
  rconPassword: Buffer;

  @CreateDateColumn({ type: 'timestamptz' })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz' })
  updatedAt: Date;
}
