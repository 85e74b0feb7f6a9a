import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsString, Max, Min } from 'class-validator';
import { MayBeLeftOut } from '../problems/fields.js';

/** `?path=` of a folder. What a path may be is decided where it is used, below the folder of the overlay or server. */
export class FolderPath {
  @ApiPropertyOptional({ default: '', description: 'A folder; without it, everything.' })
  @MayBeLeftOut()
  @IsString()
  path: string = '';
}

/** `?limit=&cursor=` of files that are listed. */
export class FilePageQuery {
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

/** `?path=&limit=&cursor=` of a folder that is listed. */
export class FolderPageQuery extends IntersectionType(FolderPath, FilePageQuery) {}

/** `?path=` of a file, or of a file or folder. */
export class FilePath {
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

/** What a page of a folder is, besides its items. */
export class FolderView {
  @ApiProperty()
  path: string;

  @ApiProperty({ type: String, nullable: true, description: 'Given back as ?cursor= to read on; null at the end.' })
  nextCursor: string | null;
}
