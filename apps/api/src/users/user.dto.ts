import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsString, Length, Matches } from 'class-validator';
import { PASSWORD_MAX, PASSWORD_MIN } from '../auth/passwords.js';
import { MayBeLeftOut } from '../problems/fields.js';
import { type Role, roles, type User } from './user.entity.js';

/** A user as the API shows it. */
export class UserView {
  @ApiProperty({ type: 'integer' })
  id: number;

  @ApiProperty({ example: 'anna', description: 'What the user logs in with: the `username` of POST /auth/login.' })
  name: string;

  @ApiProperty({ enum: roles })
  role: Role;

  @ApiProperty({ description: 'May not log in; the tokens do not work.' })
  disabled: boolean;

  @ApiProperty({ type: 'string', format: 'date-time' })
  createdAt: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  lastLoginAt: string | null;

  static of(user: User): UserView {
    return {
      id: user.id,
      name: user.name,
      role: user.role,
      disabled: user.disabled,
      createdAt: user.createdAt.toISOString(),
      lastLoginAt: user.lastLoginAt?.toISOString() ?? null,
    };
  }
}

export const USER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,31}$/;
export const USER_NAME_RULE =
  'must be letters, digits, dots, dashes and underscores, 32 at most, beginning with a letter or digit';

export class NewUser {
  @ApiProperty({ pattern: USER_NAME.source, description: 'Unique, whatever its case.' })
  @IsString()
  @Matches(USER_NAME, { message: USER_NAME_RULE })
  name: string;

  @ApiProperty({ format: 'password', minLength: PASSWORD_MIN, maxLength: PASSWORD_MAX })
  @IsString()
  @Length(PASSWORD_MIN, PASSWORD_MAX)
  password: string;

  @ApiProperty({ enum: roles })
  @IsIn(roles)
  role: Role;
}

export class UserChange {
  @ApiPropertyOptional({ enum: roles })
  @MayBeLeftOut()
  @IsIn(roles)
  role?: Role;

  @ApiPropertyOptional()
  @MayBeLeftOut()
  @IsBoolean()
  disabled?: boolean;

  @ApiPropertyOptional({
    format: 'password',
    minLength: PASSWORD_MIN,
    maxLength: PASSWORD_MAX,
    description: "Ends the user's sessions.",
  })
  @MayBeLeftOut()
  @IsString()
  @Length(PASSWORD_MIN, PASSWORD_MAX)
  password?: string;
}
