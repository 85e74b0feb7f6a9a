import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBoolean, IsOptional, IsString, ValidateNested } from 'class-validator';
import { MayBeLeftOut } from '../problems/fields.js';
import { IsId } from '../problems/id.js';
import { IsLine, IsText } from '../validation/rules.js';
import { MAX_FILES } from './generated-files.js';

/** A place in the order of a blueprint's overlays; the first one wins. */
export class BlueprintOverlayBody {
  @ApiProperty()
  @IsId()
  overlayId: number;

  @ApiPropertyOptional({ description: "Also run the overlay's own server.cfg.", default: false })
  @MayBeLeftOut()
  @IsBoolean()
  exposeServerCfg?: boolean;
}

/** A file above all overlays; its content is a template. */
export class BlueprintFileBody {
  @ApiProperty({ example: 'left4dead2/motd.txt', description: "Below the game's folder." })
  @IsString()
  path: string;

  @ApiProperty({
    description: 'UTF-8. In a .cfg file values are quoted as in server.cfg, and the title is plain ASCII.',
  })
  @IsString()
  content: string;
}

/** A blueprint's fields; the rules of texts and paths that need more than a look at one value are beside the service. */
export class BlueprintFields {
  @ApiPropertyOptional({ default: '' })
  @MayBeLeftOut()
  @IsText(4000)
  description?: string;

  @ApiPropertyOptional({ type: [BlueprintOverlayBody], description: 'The first one wins.' })
  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(50)
  @ValidateNested({ each: true })
  @Type(() => BlueprintOverlayBody)
  overlays?: BlueprintOverlayBody[];

  @ApiPropertyOptional({
    type: [String],
    example: ['+map', 'c1m1_hotel', 'versus'],
    description: 'Each one word of the command line.',
  })
  @MayBeLeftOut()
  @IsArray()
  @IsString({ each: true })
  arguments?: string[];

  @ApiPropertyOptional({ default: '', description: 'Lines of server.cfg, plain ASCII.' })
  @MayBeLeftOut()
  @IsString()
  config?: string;

  @ApiPropertyOptional({ type: [BlueprintFileBody], description: 'Other files that every server gets.' })
  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(MAX_FILES)
  @ValidateNested({ each: true })
  @Type(() => BlueprintFileBody)
  files?: BlueprintFileBody[];

  @ApiPropertyOptional({ type: [String], description: 'Shipped files and folders that no server sees.' })
  @MayBeLeftOut()
  @IsArray()
  @IsString({ each: true })
  hide?: string[];
}

export class CreateBlueprintBody extends BlueprintFields {
  @ApiProperty({ maxLength: 64 })
  @IsLine(64)
  name: string;
}

export class UpdateBlueprintBody extends BlueprintFields {
  @ApiPropertyOptional({ maxLength: 64 })
  @MayBeLeftOut()
  @IsLine(64)
  name?: string;
}

export class PreviewBlueprintBody extends BlueprintFields {
  @ApiPropertyOptional({
    description:
      "The blueprint whose fields count where they are left out, and whose owner's secrets and overlays may be used.",
  })
  @MayBeLeftOut()
  @IsId()
  blueprintId?: number;

  @ApiPropertyOptional({ description: 'The server to show it for; without it, a sample.' })
  @MayBeLeftOut()
  @IsId()
  serverId?: number;
}

export class BlueprintOverlayView {
  @ApiProperty()
  overlayId: number;

  @ApiProperty()
  name: string;

  @ApiProperty()
  exposeServerCfg: boolean;

  @ApiProperty({ type: Number, nullable: true, description: 'Its current revision; null: never built.' })
  revision: number | null;

  @ApiProperty({
    description:
      "False: the owner is no admin any more, and it is somebody else's; a start fails until it is taken out.",
  })
  usable: boolean;
}

export class BlueprintServerView {
  @ApiProperty()
  id: number;

  @ApiProperty()
  name: string;
}

export class BlueprintView {
  @ApiProperty()
  id: number;

  @ApiProperty()
  name: string;

  @ApiProperty()
  description: string;

  @ApiProperty()
  ownerId: number;

  @ApiProperty()
  ownerName: string;

  @ApiProperty({ type: [BlueprintOverlayView] })
  overlays: BlueprintOverlayView[];

  @ApiProperty({ type: [String] })
  arguments: string[];

  @ApiProperty()
  config: string;

  @ApiProperty({ type: [BlueprintFileBody] })
  files: BlueprintFileBody[];

  @ApiProperty({ type: [String] })
  hide: string[];

  @ApiProperty({ type: [BlueprintServerView], description: 'The servers made from it that you may see.' })
  servers: BlueprintServerView[];

  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  @ApiProperty({ format: 'date-time' })
  updatedAt: string;
}

export class BlueprintPage {
  @ApiProperty({ type: [BlueprintView] })
  items: BlueprintView[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor: string | null;
}

export class VariablesQuery {
  @ApiPropertyOptional({ type: 'integer', description: "The secrets of this blueprint's owner; without it, your own." })
  @IsOptional()
  @Type(() => Number)
  @IsId()
  blueprintId?: number;
}

export class VariableView {
  @ApiProperty()
  name: string;

  @ApiProperty()
  description: string;
}

export class VariableList {
  @ApiProperty({ type: [VariableView] })
  items: VariableView[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor: null;
}
