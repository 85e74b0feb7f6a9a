import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayNotEmpty, IsArray, IsString, Matches, MaxLength, ValidateIf } from 'class-validator';

export const MAX_ADDED = 500;

export class AddItemsBody {
  @ApiProperty({
    type: [String],
    maxItems: MAX_ADDED,
    description: 'Ids of items and collections, or addresses of their pages at Steam.',
    example: ['https://steamcommunity.com/sharedfiles/filedetails/?id=121086524'],
  })
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MAX_ADDED)
  @IsString({ each: true })
  @MaxLength(2048, { each: true })
  ids: string[];
}

export class ChangeItemBody {
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'versus_mutation.vpk',
    description: 'What its file is called below left4dead2/addons/; null: the id and ".vpk".',
  })
  @ValidateIf((_object, value) => value !== null)
  @IsString()
  @Matches(/^[A-Za-z0-9_-]{1,60}\.vpk$/, {
    message: 'must be letters, digits, "_" and "-" (60 at most), and ".vpk" once, at the end',
  })
  fileName: string | null;
}

const states = ['unknown', 'new', 'outdated', 'current', 'unavailable'] as const;
export type ItemState = (typeof states)[number];

export class WorkshopItemView {
  @ApiProperty({ description: "Steam's id." })
  publishedFileId: string;

  @ApiProperty({ description: 'It was added to the overlay; false: it came with a collection.' })
  listed: boolean;

  @ApiProperty({ type: String, enum: ['item', 'collection'], nullable: true, description: 'Null until Steam says it.' })
  kind: 'item' | 'collection' | null;

  @ApiProperty({ type: String, nullable: true })
  title: string | null;

  @ApiProperty({ type: Number, nullable: true })
  bytes: number | null;

  @ApiProperty({ type: String, nullable: true, description: "A picture, at one of Steam's hosts." })
  previewUrl: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When its author last changed it.' })
  updatedAt: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'A name of its own; null: the id and ".vpk".' })
  fileName: string | null;

  @ApiProperty({
    enum: states,
    description:
      'unknown: Steam was not asked yet. new: a build adds it. outdated: a build brings a newer one, or its new name. ' +
      'current: the current revision has it. unavailable: it cannot be had; `problem` says why. Of a collection only unknown, current and unavailable.',
  })
  state: ItemState;

  @ApiProperty({ type: String, nullable: true })
  problem: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When Steam last told of it.' })
  refreshedAt: string | null;

  @ApiProperty({ type: [String], description: 'Of a collection: the ids of what is in it, in its order.' })
  members: string[];
}

export class WorkshopItemList {
  @ApiProperty({
    type: [WorkshopItemView],
    description: 'Added ones first, oldest first; then what came with collections.',
  })
  items: WorkshopItemView[];

  @ApiProperty({ type: String, nullable: true, description: 'Always null: the items come all at once.' })
  nextCursor: null;

  @ApiProperty({ type: String, nullable: true, description: 'What could not be asked, and why.' })
  notice: string | null;
}
