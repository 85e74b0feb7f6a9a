import { Type } from 'class-transformer';
import { IsArray, IsBoolean, IsInt, IsString, Length, Matches, ValidateNested } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { MayBeLeftOut } from './fields.js';
import { IsId } from './id.js';
import { Invalid } from './problems.js';
import { Validation } from './validation.js';

class Entry {
  @IsId()
  overlayId: number;
}

class Body {
  @IsString()
  @Length(3, 5)
  @Matches(/^a/, { message: 'must begin with a' })
  name: string;

  @MayBeLeftOut()
  @IsBoolean()
  flag?: boolean;

  @MayBeLeftOut()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Entry)
  entries?: Entry[];

  @MayBeLeftOut()
  @IsInt()
  count?: number;
}

const check = (body: unknown) => new Validation().transform(body, { type: 'body', metatype: Body });
const errorsOf = async (body: unknown) => {
  const error: unknown = await check(body).catch((thrown: unknown) => thrown);
  return error instanceof Invalid ? error.errors.map(({ path, message }) => `${path}: ${message}`) : error;
};

describe('Validation', () => {
  it('names nested fields by their way', async () => {
    const entries = [{ overlayId: 1 }, { overlayId: 'x' }, { overlayId: 2 ** 31 }];
    expect(await errorsOf({ name: 'abc', entries })).toEqual([
      'entries.1.overlayId: must be an integer number',
      'entries.2.overlayId: must not be greater than 2147483647',
    ]);
  });

  it('tells every rule that is broken, but only the type where that is wrong', async () => {
    const broken = await errorsOf({ name: 'xxxxxx' });
    expect(broken).toHaveLength(2);
    expect(broken).toContain('name: must begin with a');
    expect(await errorsOf({ name: 7 })).toEqual(['name: must be a string']);
    expect(await errorsOf({})).toEqual(['name: is missing']);
    expect(await errorsOf(undefined)).toEqual(['name: is missing']);
  });

  it('refuses unknown fields, null for what may be left out, and what is not an object', async () => {
    expect(await errorsOf({ name: 'abc', admin: true, entries: [{ overlayId: 1, x: 1 }] })).toEqual([
      'admin: is not a field that exists here',
      'entries.0.x: is not a field that exists here',
    ]);
    expect(await errorsOf({ name: 'abc', flag: null })).toEqual(['flag: must be a boolean value']);
    expect(await errorsOf([])).toEqual([': must be a JSON object']);
    expect(await errorsOf('text')).toEqual([': must be a JSON object']);
    expect(await errorsOf({ name: 'abc', entries: [null, 1] })).toEqual([
      'entries.0: must be an object',
      'entries.1: must be an object',
    ]);
  });

  it('gives back what is right', async () => {
    expect(await check({ name: 'abc', count: 3 })).toEqual({ name: 'abc', count: 3 });
  });
});
