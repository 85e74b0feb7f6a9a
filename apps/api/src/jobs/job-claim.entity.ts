import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Job } from './job.entity.js';

/** A resource an unfinished job claims. The rows go when the job ends: what is here is the line. */
@Entity('job_claims')
@Index('job_claims_exclusive', ['resource', 'jobId'], { where: '"exclusive"' })
@Index('job_claims_job', ['jobId'])
export class JobClaim {
  /** `server:<id>`, `overlay:<id>` or `host:<id>/runtime`. */
  @PrimaryColumn('text')
  resource: string;

  @PrimaryColumn('integer')
  jobId: number;

  @ManyToOne(() => Job, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn()
  job: Relation<Job>;

  @Column('boolean')
  exclusive: boolean;
}
