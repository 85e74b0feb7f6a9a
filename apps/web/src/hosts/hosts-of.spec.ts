import { expect, it } from 'vitest';
import { hostsOf } from './hosts-of';

it('leaves out hosts that have none of the servers shown', () => {
  const [local, elsewhere] = [{ id: 1 }, { id: 2 }];
  expect(hostsOf([{ hostId: 1 }, { hostId: 1 }], [local, elsewhere])).toEqual([local]);
  expect(hostsOf([], [local, elsewhere])).toEqual([]);
});
