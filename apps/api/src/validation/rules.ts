import { applyDecorators } from '@nestjs/common';
import { IsString, Length, Matches, MaxLength } from 'class-validator';

/** One line of free text, `max` characters at most: what a name or a title is. */
export const IsLine = (max: number) =>
  applyDecorators(
    IsString(),
    Length(1, max),
    Matches(/^[^\p{Cc}\u2028\u2029]*$/u, { message: 'must not contain control characters or line breaks' }),
    Matches(/^(\S(.*\S)?)?$/su, { message: 'must not begin or end with a space' }),
  );

/** Free text that may have several lines. */
export const IsText = (max: number) =>
  applyDecorators(
    IsString(),
    MaxLength(max),
    Matches(/^(?:[^\p{Cc}]|[\t\r\n])*$/u, { message: 'must not contain control characters' }),
  );
