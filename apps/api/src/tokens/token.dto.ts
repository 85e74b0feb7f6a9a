import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsISO8601,
  IsOptional,
  IsString,
  Length,
} from 'class-validator';
import { IsId } from '../problems/id.js';
import { type Scope, scopes, type Token } from './token.entity.js';

/** A token as the API shows it, without its secret. */
export class TokenView {
  @ApiProperty({ type: 'integer' })
  id: number;

  @ApiProperty({ example: 'Discord bot' })
  name: string;

  @ApiProperty({ enum: scopes, isArray: true })
  scopes: Scope[];

  @ApiProperty({ type: 'integer', isArray: true, nullable: true, description: 'null: all of the user’s servers.' })
  serverIds: number[] | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  expiresAt: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'To the minute.' })
  lastUsedAt: string | null;

  @ApiProperty({ type: 'string', format: 'date-time' })
  createdAt: string;

  static of(token: Token): TokenView {
    return {
      id: token.id,
      name: token.name,
      scopes: token.scopes,
      serverIds: token.serverIds,
      expiresAt: token.expiresAt?.toISOString() ?? null,
      lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
      createdAt: token.createdAt.toISOString(),
    };
  }
}

/** The answer to making one: the only time its secret is shown. */
export class NewTokenView extends TokenView {
  @ApiProperty({ example: 'l4m_…', description: 'The secret; it is shown this once.' })
  token: string;

  static withSecret(token: Token, secret: string): NewTokenView {
    return Object.assign(TokenView.of(token), { token: secret });
  }
}

export class NewToken {
  @ApiProperty({ minLength: 1, maxLength: 64 })
  @IsString()
  @Length(1, 64)
  name: string;

  @ApiProperty({
    enum: scopes,
    isArray: true,
    description:
      'read: see; operate: start, stop and cancel; manage: make, change, build and remove. None includes another.',
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(scopes, { each: true })
  scopes: Scope[];

  @ApiPropertyOptional({
    type: 'integer',
    isArray: true,
    nullable: true,
    description: 'The only servers it may touch.',
  })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsId({ each: true })
  serverIds?: number[] | null;

  @ApiPropertyOptional({ type: 'string', format: 'date-time', nullable: true, description: 'In the future.' })
  @IsOptional()
  @IsISO8601({ strict: true })
  expiresAt?: string | null;
}
