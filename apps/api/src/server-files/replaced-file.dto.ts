import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches } from 'class-validator';

export class ReplacedFileView {
  @ApiProperty({ description: 'What it is kept under: the id of the job, or `by-hand-<ms>` for a start by l4d2ctl.' })
  job: string;

  @ApiProperty({ type: Number, nullable: true })
  jobId: number | null;

  @ApiProperty()
  path: string;

  @ApiProperty({ description: 'Bytes.' })
  size: number;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Where a link points, which has no content; null for files.',
  })
  target: string | null;

  @ApiProperty({ format: 'date-time' })
  replacedAt: string;
}

export class ReplacedFileList {
  @ApiProperty({ type: [ReplacedFileView], description: 'The latest first, then folder by folder.' })
  items: ReplacedFileView[];

  @ApiProperty({ type: String, nullable: true, description: 'Given back as ?cursor= to read on; null at the end.' })
  nextCursor: string | null;
}

/** `?job=&path=` of one of them. */
export class ReplacedContentQuery {
  @ApiProperty({ example: '12' })
  @Matches(/^[a-z0-9][a-z0-9._-]{0,63}$/, { message: 'must be one of the list' })
  job: string;

  @ApiProperty({ example: 'left4dead2/cfg/server.cfg' })
  @IsString()
  path: string;
}
