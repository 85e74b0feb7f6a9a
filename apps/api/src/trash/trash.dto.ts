import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsOptional } from 'class-validator';
import { PageQuery } from '../paging/page.js';
import { IsId } from '../problems/id.js';

export const trashStates = ['kept', 'restoring', 'purging'] as const;

/** What a server wrote itself (statistics, bans, demos …) and was put away by a job. */
export class TrashEntryView {
  @ApiProperty({ type: 'integer' })
  id: number;
  @ApiProperty({
    enum: trashStates,
    description:
      'restoring: a job waits or runs that puts it back; purging: it is about to be removed for good, or its host is away',
  })
  state: (typeof trashStates)[number];
  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'Of `purging`: why it could not be removed; that is tried again every hour, and when it is purged again.',
  })
  problem: string | null;
  @ApiProperty({ type: 'integer' })
  hostId: number;
  @ApiProperty()
  hostName: string;
  @ApiProperty({ type: 'integer', nullable: true, description: 'The server it is of; null: it has been deleted.' })
  serverId: number | null;
  @ApiProperty({ description: "The server's name then; another one may have it by now." })
  serverName: string;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Whose it is; null: nobody knows.' })
  ownerId: number | null;
  @ApiProperty({ type: String, nullable: true })
  ownerName: string | null;
  @ApiProperty({ type: 'integer', nullable: true, description: 'The job that put it away; null: l4d2ctl has.' })
  jobId: number | null;
  @ApiProperty({ type: 'integer', nullable: true, description: 'null: not known' })
  files: number | null;
  @ApiProperty({ type: 'integer', nullable: true, description: 'On the disk; null: not known.' })
  bytes: number | null;
  @ApiProperty({ description: 'ISO 8601, UTC.' })
  deletedAt: string;
  @ApiProperty({ description: 'From when on it is removed for good. ISO 8601, UTC.' })
  keptUntil: string;
}

export class TrashQuery extends PageQuery {
  @ApiPropertyOptional({ type: 'integer', description: 'Only what was of this server.' })
  @IsOptional()
  @Type(() => Number)
  @IsId()
  serverId?: number;
}
