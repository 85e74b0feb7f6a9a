import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsString, Matches, Max, Min } from 'class-validator';
import { JobView } from '../jobs/job.dto.js';
import { MayBeLeftOut } from '../problems/fields.js';
import { IsId, IsReference } from '../problems/id.js';
import { IsLine } from '../validation/rules.js';
import { HIGHEST_PORT, LOWEST_PORT } from './ports.js';
import { type ActualState, actualStates, type DesiredState, desiredStates } from './server.entity.js';
import { ServerUsage } from './server-usage.js';

/** Not only digits: where a server is named, digits are an id. */
const NAME = /^(?!\d+$)[a-z0-9][a-z0-9-]{0,31}$/;
const nameRule = {
  message:
    'must be 1 to 32 lower-case letters, digits and dashes, beginning with a letter or digit, and not only digits',
};

const hostReference = { oneOf: [{ type: 'integer', minimum: 1 }, { type: 'string' }] };

export class CreateServerBody {
  @ApiProperty({ pattern: NAME.source, description: 'Names its instance on the host.' })
  @IsString()
  @Matches(NAME, nameRule)
  name: string;

  @ApiPropertyOptional({ maxLength: 64, description: 'What players read; without it, the name.' })
  @MayBeLeftOut()
  @IsLine(64)
  title?: string;

  @ApiPropertyOptional({ minimum: LOWEST_PORT, maximum: HIGHEST_PORT, description: 'Without it, the next free one.' })
  @MayBeLeftOut()
  @IsInt()
  @Min(LOWEST_PORT)
  @Max(HIGHEST_PORT)
  port?: number;

  @ApiProperty()
  @IsId()
  blueprintId: number;

  @ApiPropertyOptional({ ...hostReference, description: "The host's id or name; without it, the panel's own machine." })
  @MayBeLeftOut()
  @IsReference()
  hostId?: number | string;
}

export class UpdateServerBody {
  @ApiPropertyOptional({ pattern: NAME.source, description: 'Only while it is absent and no job waits or runs.' })
  @MayBeLeftOut()
  @IsString()
  @Matches(NAME, nameRule)
  name?: string;

  @ApiPropertyOptional({ maxLength: 64 })
  @MayBeLeftOut()
  @IsLine(64)
  title?: string;

  @ApiPropertyOptional({ minimum: LOWEST_PORT, maximum: HIGHEST_PORT })
  @MayBeLeftOut()
  @IsInt()
  @Min(LOWEST_PORT)
  @Max(HIGHEST_PORT)
  port?: number;

  @ApiPropertyOptional()
  @MayBeLeftOut()
  @IsId()
  blueprintId?: number;

  @ApiPropertyOptional({
    ...hostReference,
    description: "The host's id or name. Only while it is absent and no job waits or runs.",
  })
  @MayBeLeftOut()
  @IsReference()
  hostId?: number | string;
}

export class ServerView {
  @ApiProperty()
  id: number;

  @ApiProperty()
  name: string;

  @ApiProperty()
  title: string;

  @ApiProperty()
  port: number;

  @ApiProperty()
  hostId: number;

  @ApiProperty()
  hostName: string;

  @ApiProperty()
  blueprintId: number;

  @ApiProperty()
  blueprintName: string;

  @ApiProperty()
  ownerId: number;

  @ApiProperty()
  ownerName: string;

  @ApiProperty({ enum: desiredStates })
  desiredState: DesiredState;

  @ApiProperty({ enum: actualStates })
  actualState: ActualState;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the actual state was last confirmed.',
  })
  actualStateAt: string | null;

  @ApiProperty({ type: Boolean, nullable: true, description: 'It answers queries; null: not known.' })
  ready: boolean | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  readyAt: string | null;

  @ApiProperty({ type: String, nullable: true })
  lastError: string | null;

  @ApiProperty({ type: [String], description: 'What the next start will change.' })
  pendingChanges: string[];

  @ApiProperty({ type: String, nullable: true })
  map: string | null;

  @ApiProperty({ type: Number, nullable: true })
  players: number | null;

  @ApiProperty({ type: Number, nullable: true })
  maxPlayers: number | null;

  @ApiProperty({
    type: ServerUsage,
    nullable: true,
    description: 'Of the last look at a running server. Null where nobody counts: the process service manager.',
  })
  usage: ServerUsage | null;

  @ApiProperty({ description: 'What players connect to, host:port.' })
  connect: string;

  @ApiProperty({ type: JobView, nullable: true, description: 'The job that runs, else the first that waits.' })
  job: JobView | null;

  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  @ApiProperty({ format: 'date-time' })
  updatedAt: string;
}

export class ServerPage {
  @ApiProperty({ type: [ServerView] })
  items: ServerView[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor: string | null;
}
