import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsISO8601, IsString, Matches, Max, MaxLength, Min, ValidateNested } from 'class-validator';
import { MayBeLeftOut } from '../problems/fields.js';
import { archiveModes } from './draft.dto.js';
import { ARCHIVE_LIMIT } from './overlay-files.service.js';

export class ArchivePlaceBody {
  @ApiProperty({ description: 'The folder to unpack into; empty: the whole draft.' })
  @IsString()
  target: string;

  @ApiProperty({ enum: archiveModes })
  @IsIn(archiveModes)
  mode: (typeof archiveModes)[number];
}

export class SourceBody {
  @ApiProperty({ maxLength: 255 })
  @IsString()
  @MaxLength(255)
  @Matches(/^[^\p{Cc}\p{Cs}]*$/u, { message: 'must not contain control characters' })
  name: string;

  @ApiProperty({ format: 'date-time' })
  @IsISO8601({ strict: true })
  @MaxLength(40)
  modifiedAt: string;
}

export class CreateUploadBody {
  @ApiPropertyOptional({ description: 'Of a file: where it goes. Either this or `archive`.' })
  @MayBeLeftOut()
  @IsString()
  path?: string;

  @ApiPropertyOptional({ type: ArchivePlaceBody, description: 'Of an archive that is to be unpacked.' })
  @MayBeLeftOut()
  @ValidateNested()
  @Type(() => ArchivePlaceBody)
  archive?: ArchivePlaceBody;

  @ApiPropertyOptional({
    type: SourceBody,
    description: 'The file as its sender has it: by this, and the size, the same file is known again on another day.',
  })
  @MayBeLeftOut()
  @ValidateNested()
  @Type(() => SourceBody)
  source?: SourceBody;

  @ApiProperty({ description: 'Bytes, once it is whole.' })
  @IsInt()
  @Min(0)
  @Max(ARCHIVE_LIMIT)
  size: number;
}

export class OffsetQuery {
  @ApiProperty({ description: 'How many bytes came before these: the `offset` of the upload.' })
  @Type(() => Number)
  @IsInt()
  @Min(0)
  offset: number;
}

export class UploadView {
  @ApiProperty()
  id: number;

  @ApiProperty()
  overlayId: number;

  @ApiProperty({ type: String, nullable: true })
  path: string | null;

  @ApiProperty({ type: ArchivePlaceBody, nullable: true })
  archive: ArchivePlaceBody | null;

  @ApiProperty()
  size: number;

  @ApiProperty({ description: 'Bytes that have come; the next piece begins here.' })
  offset: number;

  @ApiProperty({ type: SourceBody, nullable: true, description: 'As it was given.' })
  source: SourceBody | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Of an archive that is being unpacked: how many files it came to so far.',
  })
  unpackedFiles: number | null;

  @ApiProperty({ description: 'Whether a piece of it is coming right now, or it is being put into the draft.' })
  active: boolean;

  @ApiProperty({ description: 'Whether it is in the draft.' })
  finished: boolean;

  @ApiProperty({
    type: Object,
    nullable: true,
    description: 'When it is finished: what a PUT of the file, or of the archive, would have answered.',
  })
  result: object | null;
}
