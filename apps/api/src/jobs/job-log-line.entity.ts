import { Column, Entity, PrimaryColumn } from 'typeorm';

export type JobStream = 'stdout' | 'stderr' | 'system';

/** A line of a job's log; seq is gapless from 1, but for what a marker line counts as left out. */
@Entity('job_log')
export class JobLogLine {
  @PrimaryColumn('integer')
  jobId: number;

  @PrimaryColumn('integer')
  seq: number;

  @Column('text')
  stream: JobStream;

  @Column('text')
  line: string;

  @Column({ type: 'timestamptz', precision: 3 })
  at: Date;
}
