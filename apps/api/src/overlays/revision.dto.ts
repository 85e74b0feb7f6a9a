import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { MayBeLeftOut } from '../problems/fields.js';
import { IsId } from '../problems/id.js';
import { RevisionView } from './overlay.dto.js';

export class RevisionItem extends RevisionView {
  @ApiProperty({
    type: [String],
    description: 'Servers that run it, ran it last or will start with it, as far as you may see them.',
  })
  servers: string[];
}

export class RevisionPage {
  @ApiProperty({ type: [RevisionItem] })
  items: RevisionItem[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor: string | null;
}

export class CurrentRevisionBody {
  @ApiProperty({ description: 'The number of a revision that is still there.' })
  @IsId()
  number: number;
}

/** `?to=&limit=&cursor=` */
export class DiffQuery {
  @ApiPropertyOptional({ default: 'draft', description: 'The number of another revision, or `draft`.' })
  @MayBeLeftOut()
  @Matches(/^([1-9]\d{0,8}|draft)$/, { message: 'must be the number of a revision, or draft' })
  to: string = 'draft';

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 1000, default: 200 })
  @MayBeLeftOut()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  limit: number = 200;

  @ApiPropertyOptional({ description: 'nextCursor of the page before.' })
  @MayBeLeftOut()
  @IsString()
  @MaxLength(4096)
  cursor?: string;
}

const changes = ['added', 'removed', 'changed'] as const;

export class DifferenceView {
  @ApiProperty()
  path: string;

  @ApiProperty({ enum: changes, description: 'Seen from the first: what it has not is added.' })
  change: (typeof changes)[number];

  @ApiProperty({ type: Number, nullable: true, description: 'Bytes; null where the file is added.' })
  sizeBefore: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'Bytes; null where the file is removed.' })
  sizeAfter: number | null;
}

export class DifferencePage {
  @ApiProperty({ type: [DifferenceView], description: 'By path. A page may be short, or empty, before the last one.' })
  items: DifferenceView[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor: string | null;
}
