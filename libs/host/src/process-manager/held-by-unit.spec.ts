import { expect, it } from 'vitest';
import { isInUnit } from './held-by-unit.js';

const group = '/left4me.slice/left4me-game.slice/left4me-server@one.service';

it.each([
  ['cgroup v2', `0::${group}\n`, true],
  ['a folder of its own below the unit', `0::${group}/inner\n`, true],
  ['cgroup v1 in a container', `12:pids:/machine${group}\n1:name=systemd:/machine${group}\n0::/\n`, true],
  ['another server', '0::/left4me.slice/left4me-game.slice/left4me-server@one-more.service\n', false],
  ['somebody who is logged in', '0::/user.slice/user-0.slice/session-1.scope\n', false],
])('%s', (_, cgroups, expected) => {
  expect(isInUnit(cgroups, 'left4me-server@one.service')).toBe(expected);
});
