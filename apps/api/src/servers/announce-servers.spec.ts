import { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { announceServersOf } from './announce-servers.js';

it('does not fail what was done already when the database is away', async () => {
  const announced: number[] = [];
  const away = new DataSource({ type: 'postgres' });
  await announceServersOf({ overlayId: 1 }, away, { publish: ({ id }) => announced.push(id) });
  expect(announced).toEqual([]);
});
