import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length, Matches } from 'class-validator';
import { SHORTEST_MASKED } from './secret-finder.js';

export const LONGEST_SECRET = 1024;

export class SecretBody {
  @ApiProperty({
    minLength: SHORTEST_MASKED,
    maxLength: LONGEST_SECRET,
    description: 'One line of plain ASCII without double quotes.',
  })
  @IsString()
  @Length(SHORTEST_MASKED, LONGEST_SECRET)
  // So that it stands in every file as it is, and is found there again to be masked.
  @Matches(/^[\x20-\x7e]*$/, { message: 'must be one line of plain ASCII' })
  @Matches(/^[^"]*$/, { message: 'must not contain double quotes: no server.cfg can hold them' })
  @Matches(/^(\S(.*\S)?)?$/s, { message: 'must not begin or end with a space' })
  value: string;
}

export class SecretUseView {
  @ApiProperty()
  id: number;

  @ApiProperty()
  name: string;
}

export class SecretView {
  @ApiProperty({ description: 'Blueprints use it as {{secret.<name>}}.' })
  name: string;

  @ApiProperty({ type: [SecretUseView], description: 'The blueprints that use it.' })
  blueprints: SecretUseView[];

  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  @ApiProperty({ format: 'date-time', description: 'When its value was set.' })
  updatedAt: string;
}
