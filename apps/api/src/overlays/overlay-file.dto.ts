import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsString, Max, Min } from 'class-validator';
import { MayBeLeftOut } from '../problems/fields.js';
import { IsId } from '../problems/id.js';

/** `?path=&revision=&limit=&cursor=` of a folder. What a path may be is decided where it is used, below the overlay's folder. */
export class FolderQuery {
  @ApiPropertyOptional({ default: '', description: 'A folder; without it, the whole overlay.' })
  @MayBeLeftOut()
  @IsString()
  path: string = '';

  @ApiPropertyOptional({ type: Number, description: 'The number of a revision; without it, the draft.' })
  @MayBeLeftOut()
  @Type(() => Number)
  @IsId()
  revision?: number;

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
  cursor?: string;
}

/** `?path=&revision=` of a folder to download. */
export class ArchiveQuery {
  @ApiPropertyOptional({ default: '', description: 'A folder; without it, the whole overlay.' })
  @MayBeLeftOut()
  @IsString()
  path: string = '';

  @ApiPropertyOptional({ type: Number, description: 'The number of a revision; without it, the draft.' })
  @MayBeLeftOut()
  @Type(() => Number)
  @IsId()
  revision?: number;
}

/** `?path=&revision=` of a file to read. */
export class ReadQuery {
  @ApiProperty({ example: 'left4dead2/cfg/server.cfg' })
  @IsString()
  path: string;

  @ApiPropertyOptional({ type: Number, description: 'The number of a revision; without it, the draft.' })
  @MayBeLeftOut()
  @Type(() => Number)
  @IsId()
  revision?: number;
}

/** `?path=` of a file to write, or a file or folder to delete: in the draft. */
export class WriteQuery {
  @ApiProperty({ example: 'left4dead2/cfg/server.cfg' })
  @IsString()
  path: string;
}

const types = ['file', 'directory', 'link'] as const;

export class EntryView {
  @ApiProperty()
  name: string;

  @ApiProperty()
  path: string;

  @ApiProperty({ enum: types })
  type: (typeof types)[number];

  @ApiProperty({ description: 'Bytes; 0 for folders.' })
  size: number;

  @ApiProperty({ format: 'date-time' })
  modifiedAt: string;
}

export class WrittenView extends EntryView {
  @ApiProperty({ description: 'For If-Match, as in the header of this name.' })
  etag: string;
}

export class EntryList {
  @ApiProperty()
  path: string;

  @ApiProperty({ type: [EntryView] })
  items: EntryView[];

  @ApiProperty({ type: String, nullable: true, description: 'Given back as ?cursor= to read on; null at the end.' })
  nextCursor: string | null;
}
