import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsBooleanString, IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { PageQuery } from '../paging/page.js';
import { MayBeLeftOut } from '../problems/fields.js';
import { IsId } from '../problems/id.js';
import { IsLine } from '../validation/rules.js';
import {
  type JobState,
  jobStates,
  type Operation,
  operations,
  type ServerOperation,
  serverOperations,
} from './job.entity.js';

const kinds = ['job', 'slot', 'host'] as const;

/** One thing a queued job waits for, or the worker that a job waits for which had begun on a host that is offline now. */
export class WaitsFor {
  @ApiProperty({
    enum: kinds,
    description: 'an earlier job, a place in its lane while all are taken, or the worker of its host',
  })
  kind: (typeof kinds)[number];
  @ApiPropertyOptional({ type: 'integer' })
  jobId?: number;
  @ApiPropertyOptional({ enum: operations })
  operation?: Operation;
  @ApiProperty({ example: 'waits for job 41, install on local' })
  text: string;
}

export class Progress {
  @ApiProperty({ type: Number, nullable: true, description: '0–100; null: not known' })
  percent: number | null;
  @ApiProperty({ type: String, nullable: true })
  text: string | null;
}

/** A job as the API shows it. Timestamps are ISO 8601, UTC. */
export class JobView {
  @ApiProperty({ type: 'integer' })
  id: number;
  @ApiProperty({ enum: operations })
  operation: Operation;
  @ApiProperty({ enum: jobStates })
  state: JobState;
  @ApiProperty({ type: 'integer', nullable: true })
  serverId: number | null;
  @ApiProperty({ type: String, nullable: true, description: "The server's name when the job was queued." })
  serverName: string | null;
  @ApiProperty({ type: 'integer', nullable: true })
  overlayId: number | null;
  @ApiProperty({ type: String, nullable: true })
  overlayName: string | null;
  @ApiProperty({ type: 'integer' })
  hostId: number;
  @ApiProperty()
  hostName: string;
  @ApiProperty({ type: 'integer', nullable: true })
  userId: number | null;
  @ApiProperty({ type: String, nullable: true })
  userName: string | null;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Id of the user who cancelled it; null: nobody. It may have ended otherwise before it heard of that.',
  })
  cancelledBy: number | null;
  @ApiProperty({ type: String, nullable: true })
  cancelledByName: string | null;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'When that was asked for; a running job ends (`finishedAt`) some seconds later.',
  })
  cancelledAt: string | null;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description:
      "0: succeeded; a failed command's return code (128 + signal); 1: any other error; null: cancelled or interrupted.",
  })
  exitCode: number | null;
  @ApiProperty({ type: String, nullable: true })
  error: string | null;
  @ApiProperty({
    type: [WaitsFor],
    description:
      'Why a queued job does not run yet; empty: its turn has come or is about to. The answer that queues a job never has `slot`. A running or cancelling job has `host` here while the worker of its host is away, and ' +
      'nothing else: how it ended is known, and its cancellation takes effect, when the worker is back.',
  })
  waitsFor: WaitsFor[];
  @ApiProperty({ type: Progress, nullable: true })
  progress: Progress | null;
  @ApiProperty()
  createdAt: string;
  @ApiProperty({ type: String, nullable: true })
  startedAt: string | null;
  @ApiProperty({ type: String, nullable: true })
  finishedAt: string | null;
}

export class JobListQuery extends PageQuery {
  @ApiPropertyOptional({ type: String, description: 'Comma separated states.' })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value))
  @IsIn(jobStates, { each: true, message: `must be some of ${jobStates.join(', ')}, comma separated` })
  state?: JobState[];

  @ApiPropertyOptional({
    type: String,
    description: "A server's id or name. By name also those of a removed server that was named so.",
    example: 'versus-1',
  })
  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9-]{0,31}$/, { message: 'must be the id or the name of a server' })
  serverId?: string;

  @ApiPropertyOptional({ type: 'integer' })
  @IsOptional()
  @Type(() => Number)
  @IsId()
  overlayId?: number;

  @ApiPropertyOptional({ type: String, description: "A host's id or name.", example: 'local' })
  @IsOptional()
  @IsLine(64)
  hostId?: string;
}

export class WaitQuery {
  @ApiPropertyOptional({ description: "Seconds to wait for the job's end, 0–60." })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(60)
  wait: number = 0;
}

export class JobLogQuery {
  @ApiPropertyOptional({ description: 'The last `seq` that was read already.' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  after: number = 0;

  @ApiPropertyOptional({ type: 'integer', description: 'How many lines at most.' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100_000)
  limit?: number;

  @ApiPropertyOptional({
    enum: ['true', 'false'],
    description: 'true: stream what is there and what comes, see above.',
  })
  @IsOptional()
  @IsBooleanString()
  follow?: string;
}

export class JobLogItem {
  @ApiProperty({ type: 'integer' })
  seq: number;
  @ApiProperty({ enum: ['stdout', 'stderr', 'system'] })
  stream: string;
  @ApiProperty()
  line: string;
  @ApiProperty()
  at: string;
}

export class JobLogPage {
  @ApiProperty({ type: [JobLogItem] })
  items: JobLogItem[];
  @ApiProperty({ type: String, nullable: true, description: 'Given back as `after`; null: no more lines for now.' })
  nextCursor: string | null;
}

export class NewServerJob {
  @ApiProperty({ enum: serverOperations })
  @IsIn(serverOperations, { message: `must be one of ${serverOperations.join(', ')}` })
  operation: ServerOperation;

  @ApiPropertyOptional({
    type: 'integer',
    description:
      'With `initialize`: the id of an entry of the trash, whose files become those that the server wrote itself. The server must not run by then; what it has of its own is put in the trash.',
  })
  @MayBeLeftOut()
  @IsId()
  restore?: number;
}

export class NewHostJob {
  @ApiProperty({ enum: ['install'] })
  @IsIn(['install'], { message: 'must be install' })
  operation: 'install';

  @ApiPropertyOptional({ description: 'An installed build to go back to; without it the newest is got.' })
  @IsOptional()
  @IsString()
  @Matches(/^[\w.-]{1,64}$/, { message: 'must be the name of an installed build: letters, digits, dots and dashes' })
  build?: string;
}
