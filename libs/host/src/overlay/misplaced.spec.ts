import { expect, test } from 'vitest';
import { rightPlace } from './misplaced.js';

const folder = (path: string) => rightPlace(path.split('/'), 'folder');
const file = (path: string) => rightPlace(path.split('/'), 'file');

test.each([
  'left4dead2',
  'left4dead2/addons',
  'left4dead2/addons/sourcemod/scripts',
  'left4dead2/custom',
  'left4dead2_dlc3/cfg',
  'update/maps',
  'hl2/resource',
  'bin',
  'other',
  'other/deeper/cfg',
])('a folder lies right: %s', (path) => expect(folder(path)).toBeNull());

test.each([
  ['addons', 'left4dead2/addons'],
  ['Addons', 'left4dead2/addons'],
  ['LEFT4DEAD2', 'left4dead2'],
  ['left4dead2/CFG', 'left4dead2/cfg'],
  ['left4dead2/left4dead2', 'left4dead2'],
  ['sourcemod-1.12/addons', 'left4dead2/addons'],
  ['sourcemod-1.12/left4dead2', 'left4dead2'],
])('a folder lies wrong: %s belongs to %s', (path, place) => expect(folder(path)).toBe(place));

test.each([
  'left4dead2/addons/a.vpk',
  'left4dead2/addons/workshop/1.vpk',
  'left4dead2/pak01_dir.vpk',
  'left4dead2_dlc1/pak01_dir.vpk',
  'left4dead2/cfg/server.cfg',
  'left4dead2/cfg/sourcemod/plugin.x.cfg',
  'left4dead2/addons/sourcemod/plugins/disabled/a.smx',
  'left4dead2/motd.txt',
  'README.md',
])('a file lies right: %s', (path) => expect(file(path)).toBeNull());

test.each([
  ['campaign.vpk', 'left4dead2/addons/campaign.vpk'],
  ['server.cfg', 'left4dead2/cfg/server.cfg'],
  ['plugin.smx', 'left4dead2/addons/sourcemod/plugins/plugin.smx'],
  ['left4dead2/server.cfg', 'left4dead2/cfg/server.cfg'],
  ['left4dead2/maps/c.vpk', 'left4dead2/addons/c.vpk'],
  ['left4dead2/addons/sub/c.vpk', 'left4dead2/addons/c.vpk'],
])('a file lies wrong: %s belongs to %s', (path, place) => expect(file(path)).toBe(place));
