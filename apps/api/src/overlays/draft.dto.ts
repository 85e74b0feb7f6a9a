import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsString } from 'class-validator';
import { MayBeLeftOut } from '../problems/fields.js';

export const archiveModes = ['merge', 'replace'] as const;

/** `?target=&mode=` of an archive. */
export class UnpackQuery {
  @ApiPropertyOptional({ default: '', description: 'The folder to unpack into; without it, the whole draft.' })
  @MayBeLeftOut()
  @IsString()
  target: string = '';

  @ApiPropertyOptional({
    enum: archiveModes,
    default: 'merge',
    description:
      '`merge`: other files of the folder stay. `replace`: the folder holds what is in the archive and nothing else.',
  })
  @MayBeLeftOut()
  @IsIn(archiveModes)
  mode: (typeof archiveModes)[number] = 'merge';
}

export class FolderBody {
  @ApiProperty({ example: 'left4dead2/addons' })
  @IsString()
  path: string;
}

export class MoveBody {
  @ApiProperty({ example: 'addons' })
  @IsString()
  from: string;

  @ApiProperty({ example: 'left4dead2/addons' })
  @IsString()
  to: string;

  @ApiPropertyOptional({ default: false, description: 'Whether a file may take the place of another one.' })
  @MayBeLeftOut()
  @IsBoolean()
  replace?: boolean;

  @ApiPropertyOptional({
    default: false,
    description: 'Whether the content of a folder may go into one that is there already.',
  })
  @MayBeLeftOut()
  @IsBoolean()
  merge?: boolean;
}

export class LeftOutView {
  @ApiProperty()
  count: number;

  @ApiProperty({ type: [String], description: 'Some of them.' })
  first: string[];
}

export class UnpackedView {
  @ApiProperty()
  files: number;

  @ApiProperty()
  bytes: number;

  @ApiProperty({ type: LeftOutView, description: 'Links, devices and the like, which are never unpacked.' })
  leftOut: LeftOutView;
}

const warningKinds = ['misplaced', 'broken-vpk', 'vpk-name', 'non-ascii-cfg'] as const;

export class WarningView {
  @ApiProperty({
    enum: warningKinds,
    description:
      '`misplaced`: the game does not look there. `broken-vpk`: crashes the game; a build refuses it. `vpk-name`: more than one dot. `non-ascii-cfg`: may crash the game.',
  })
  kind: (typeof warningKinds)[number];

  @ApiProperty()
  path: string;

  @ApiPropertyOptional({ description: 'Of `misplaced`: where it belongs.' })
  belongsTo?: string;

  @ApiPropertyOptional({ description: 'Of `broken-vpk`.' })
  problem?: string;

  @ApiPropertyOptional({ description: 'Of `non-ascii-cfg`: the first such line, counted from 1.' })
  line?: number;
}

export class WarningsView {
  @ApiProperty({ type: [WarningView] })
  items: WarningView[];

  @ApiProperty({ description: 'Whether there are more than these.' })
  more: boolean;
}
