import { HttpException, Logger } from '@nestjs/common';
import express from 'express';
import supertest from 'supertest';
import { afterEach, expect, it, vi } from 'vitest';
import { ProblemFilter } from './problem.filter.js';
import { Unavailable } from './problems.js';

afterEach(() => vi.restoreAllMocks());

/** What the panel answers when a request fails with this, and what it logs then. */
async function answered(error: Error): Promise<{ status: number; logged: unknown[] }> {
  const log = vi.spyOn(Logger.prototype, 'error').mockReturnValue();
  const filter = new ProblemFilter();
  const app = express().use((request, response) => filter.answer(error, request, response));
  const { status } = await supertest(app).get('/files?path=x');
  return { status, logged: log.mock.calls.flat() };
}

it('what is not supported here, a service that is away and a full disk are refusals, and no errors for the log', async () => {
  for (const [error, status] of [
    [new HttpException('It needs the program zstd.', 501), 501],
    [new Unavailable('Redis does not answer.'), 503],
    [new HttpException('The disk is full.', 507, { cause: new Error('ENOSPC') }), 507],
  ] as const) {
    expect(await answered(error)).toEqual({ status, logged: [] });
  }
});

it('what nobody expected is logged with its causes', async () => {
  const error = new Error('broken', { cause: new Error('deep inside') });
  const { status, logged } = await answered(error);
  expect(status).toBe(500);
  expect(logged).toEqual([expect.stringMatching(/^GET \/files: Error: broken\n.*caused by Error: deep inside\n/s)]);
});
