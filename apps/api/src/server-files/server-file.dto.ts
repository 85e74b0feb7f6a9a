import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBooleanString, IsInt, IsString, Max, Min } from 'class-validator';
import { EntryView, FilePath, FolderView } from '../files/folder.dto.js';
import { MayBeLeftOut } from '../problems/fields.js';

/** Bytes: files are smaller than what a double counts exactly. */
const MOST_BYTES = Number.MAX_SAFE_INTEGER;

export class ServerContentQuery extends FilePath {
  @ApiPropertyOptional({ enum: ['true', 'false'], description: 'true: stream the lines of a text file, see above.' })
  @MayBeLeftOut()
  @IsBooleanString()
  follow?: string;

  @ApiPropertyOptional({ type: 'integer', description: 'With `follow`: only what comes after this position.' })
  @MayBeLeftOut()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(MOST_BYTES)
  after?: number;
}

export class ServerSummaryQuery {
  @ApiPropertyOptional({ default: '', description: 'A file or folder; without it, all.' })
  @MayBeLeftOut()
  @IsString()
  path: string = '';
}

const kinds = ['own', 'generated', 'overlay', 'game'] as const;

export class LayerView {
  @ApiProperty({ enum: kinds, description: 'own: the server wrote it. generated: initialize made it.' })
  kind: (typeof kinds)[number];

  @ApiProperty({ type: 'integer', nullable: true, description: 'Of an overlay.' })
  overlayId: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'Of an overlay you may see.' })
  overlayName: string | null;

  @ApiProperty({ type: 'integer', nullable: true })
  revision: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'Of the game.' })
  build: string | null;
}

export class ServerEntryView extends EntryView {
  @ApiProperty({ type: String, nullable: true, description: 'Where a link points. Nothing follows it.' })
  target: string | null;

  @ApiProperty({ type: LayerView, description: 'Where it comes from: the topmost layer that has it.' })
  layer: LayerView;

  @ApiProperty({
    type: LayerView,
    isArray: true,
    description: 'Layers whose entry of this name is not seen because of it.',
  })
  hides: LayerView[];

  @ApiProperty({ description: 'A folder that layers below have as well: what they have in it is seen together.' })
  merged: boolean;
}

export class ServerFileList extends FolderView {
  @ApiProperty({ type: ServerEntryView, isArray: true, description: 'Folders first, then by name.' })
  items: ServerEntryView[];

  @ApiProperty({ type: 'integer', description: 'Entries of the folder that are not shown: their names are not UTF-8.' })
  unreadableNames: number;
}

export class KeptFilesView {
  @ApiProperty({ type: 'integer' })
  files: number;

  @ApiProperty({ type: [String], description: 'Of some, databases and bans first.' })
  paths: string[];
}

export class OwnSizeView {
  @ApiProperty({ type: 'integer', description: 'Links count, too.' })
  files: number;

  @ApiProperty({ description: 'Bytes.' })
  bytes: number;

  @ApiProperty({ description: 'false: there is more than was counted.' })
  complete: boolean;

  @ApiProperty({
    description: 'Those of the files that no update replaces (LEFT4ME_KEPT_FILES): databases, bans, logs, demos.',
  })
  kept: KeptFilesView;
}
