import { HostError, NotFound as NotThere, PathRefused, TooLarge } from '@left4me/host';
import { HttpException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { BodyTooLarge, Invalid, NotFound } from '../problems/problems.js';
import { onTree } from './overlay-trees.js';

const failing = (error: Error) =>
  onTree('a/b', async () => {
    throw error;
  });

describe('onTree', () => {
  it('tells what the library refuses as the field, the file or the size', async () => {
    await expect(failing(new PathRefused('a/b', 'is a link'))).rejects.toMatchObject({
      constructor: Invalid,
      errors: [{ path: 'path', message: '"a/b": is a link' }],
    });
    await expect(failing(new NotThere('a/b'))).rejects.toBeInstanceOf(NotFound);
    await expect(failing(new TooLarge(5))).rejects.toBeInstanceOf(BodyTooLarge);
  });

  it('says when the disk is full', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const told = await failing(full).catch((error: unknown) => error);
    expect(told).toBeInstanceOf(HttpException);
    expect(told).toMatchObject({ status: 507, cause: full });
  });

  it('passes everything else on', async () => {
    for (const error of [new HostError('other', 'x'), new TypeError('x')])
      await expect(failing(error)).rejects.toBe(error);
  });
});
