import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Matches } from 'class-validator';
import { MayBeLeftOut } from '../problems/fields.js';

/** Bytes of a script's text. */
export const SCRIPT_LIMIT = 64 * 1024;

export class ScriptBody {
  @ApiProperty({ description: `Bash, ${SCRIPT_LIMIT} bytes at most; line breaks become LF.` })
  @IsString()
  script: string;

  @ApiPropertyOptional({
    description: 'The hash of the script that this one was made from: refused when somebody has changed it since.',
  })
  @MayBeLeftOut()
  @Matches(/^[0-9a-f]{64}$/, { message: 'must be the hash that the script was read with' })
  basedOn?: string;
}

export class ScriptView {
  @ApiProperty({ description: 'Empty before it is written.' })
  script: string;

  @ApiProperty({ description: 'SHA-256 of the script, hexadecimal.' })
  hash: string;
}
