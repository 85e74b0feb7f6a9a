import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { HostRow } from './host.entity.js';

/** A build of the game that is installed on a host. */
@Entity('runtime_builds')
@Index('runtime_builds_build', ['hostId', 'build'], { unique: true })
@Index('runtime_builds_current', ['hostId'], { unique: true, where: '"current"' })
export class RuntimeBuild {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @Column('integer')
  hostId: number;

  @ManyToOne(() => HostRow, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  host: Relation<HostRow>;

  @Column('text')
  build: string;

  @Column('boolean')
  demo: boolean;

  @Column('boolean', { default: false })
  current: boolean;

  @Column('bigint', { default: 0 })
  bytes: string;

  @Column('timestamptz')
  installedAt: Date;
}
