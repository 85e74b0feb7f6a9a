import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn } from 'class-validator';
import { MayBeLeftOut } from '../problems/fields.js';
import { type MissingItems, missingItems, type OverlayKind, overlayKinds } from './overlay-kind.js';
import { IsLine, IsText } from '../validation/rules.js';

export class CreateOverlayBody {
  @ApiProperty({ maxLength: 64 })
  @IsLine(64)
  name: string;

  @ApiPropertyOptional({ default: '' })
  @MayBeLeftOut()
  @IsText(4000)
  description?: string;

  @ApiPropertyOptional({ enum: overlayKinds, default: 'files', description: 'Where its files come from; for ever.' })
  @MayBeLeftOut()
  @IsIn(overlayKinds)
  kind?: OverlayKind;

  @ApiPropertyOptional({ default: false, description: 'For everybody to use; admins only.' })
  @MayBeLeftOut()
  @IsBoolean()
  catalog?: boolean;
}

export class UpdateOverlayBody {
  @ApiPropertyOptional({ maxLength: 64 })
  @MayBeLeftOut()
  @IsLine(64)
  name?: string;

  @ApiPropertyOptional()
  @MayBeLeftOut()
  @IsText(4000)
  description?: string;

  @ApiPropertyOptional({
    enum: missingItems,
    description: 'Of a Workshop overlay: whether builds fail or go on without items that cannot be had.',
  })
  @MayBeLeftOut()
  @IsIn(missingItems)
  missingItems?: MissingItems;
}

export class DraftView {
  @ApiProperty({ type: 'integer', nullable: true, description: 'null: too many to be counted in a moment.' })
  files: number | null;

  @ApiProperty({ type: Number, nullable: true, description: 'null like `files`.' })
  bytes: number | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When it was last written to.' })
  modifiedAt: string | null;

  @ApiProperty({ description: 'It was written to since the last build that succeeded began.' })
  changed: boolean;
}

export class RevisionView {
  @ApiProperty()
  id: number;

  @ApiProperty({ description: 'Counts from 1 per overlay.' })
  number: number;

  @ApiProperty({ type: Number, nullable: true })
  jobId: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'Who queued that job.' })
  userName: string | null;

  @ApiProperty()
  files: number;

  @ApiProperty()
  bytes: number;

  @ApiProperty()
  contentHash: string;

  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  @ApiProperty({ description: 'The one that new generations get.' })
  current: boolean;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Of the current one: when somebody went back to it; null: it is the newest.',
  })
  returnedAt: string | null;
}

export class OverlayView {
  @ApiProperty()
  id: number;

  @ApiProperty()
  name: string;

  @ApiProperty()
  description: string;

  @ApiProperty({ enum: overlayKinds })
  kind: OverlayKind;

  @ApiProperty({ description: 'For everybody to use; admins manage it.' })
  catalog: boolean;

  @ApiProperty({ type: Number, nullable: true })
  ownerId: number | null;

  @ApiProperty({ type: String, nullable: true })
  ownerName: string | null;

  @ApiProperty({
    type: String,
    enum: missingItems,
    nullable: true,
    description: 'Null unless it is a Workshop overlay.',
  })
  missingItems: MissingItems | null;

  @ApiProperty({ type: DraftView })
  draft: DraftView;

  @ApiProperty({ type: RevisionView, nullable: true })
  currentRevision: RevisionView | null;

  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  @ApiProperty({ format: 'date-time' })
  updatedAt: string;
}

export class OverlayPage {
  @ApiProperty({ type: [OverlayView] })
  items: OverlayView[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor: string | null;
}
