import { Injectable, type PipeTransform } from '@nestjs/common';
import { IsInt, Max, Min, ValidateBy } from 'class-validator';
import { NotFound } from './problems.js';

/** Ids are 32-bit in the database. */
export const MAX_ID = 2_147_483_647;

/**
 * An id in a path, `@Param('id', new IdPipe('blueprint'))`. What cannot be an id names nothing: 404, as an unknown one.
 */
@Injectable()
export class IdPipe implements PipeTransform<string, number> {
  /** @param what what the id names, for the message */
  constructor(private readonly what: string) {}

  transform(value: string): number {
    const id = parseId(value);
    if (id === null) throw new NotFound(`${this.what} ${value.slice(0, 40)}`);
    return id;
  }
}

/** The id that the text is, or null. */
export function parseId(text: string): number | null {
  if (!/^[1-9]\d{0,9}$/.test(text)) return null;
  const id = Number(text);
  return id <= MAX_ID ? id : null;
}

/** An id in a body or query; `{ each: true }` for a list of them. */
export function IsId(options: { each?: boolean } = {}): PropertyDecorator {
  const checks = [IsInt(options), Min(1, options), Max(MAX_ID, options)];
  return (target, property) => {
    for (const check of checks) check(target, property);
  };
}

/** An id, or a name, in a body: digits are an id, as in a path. */
export function IsReference(): PropertyDecorator {
  const validate = (value: unknown): boolean =>
    typeof value === 'number'
      ? parseId(String(value)) !== null
      : typeof value === 'string' && /^[^\0]{1,64}$/.test(value);
  return ValidateBy({ name: 'isReference', validator: { validate, defaultMessage: () => 'must be an id or a name' } });
}
