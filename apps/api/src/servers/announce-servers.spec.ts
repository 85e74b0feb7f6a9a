import { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { announceServersOf } from './announce-servers.js';

it('does not fail what was done already when the database is away, and says so', async () => {
  const announced: number[] = [];
  const said: string[] = [];
  const away = new DataSource({ type: 'postgres' });
  const say = (problem: string): void => void said.push(problem);
  await announceServersOf({ overlayId: 1 }, away, { publish: ({ id }) => announced.push(id) }, say);
  expect(announced).toEqual([]);
  expect(said).toEqual([expect.stringMatching(/^Open consoles were not told .*: ./)]);
});
