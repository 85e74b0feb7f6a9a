import { describe, expect, it } from 'vitest';
import { KEPT_FILES, KeptFiles } from './kept-files.js';

describe('what servers keep', () => {
  const kept = new KeptFiles(KEPT_FILES);

  it.each([
    'left4dead2/addons/sourcemod/data/sqlite/clientprefs-sqlite.sq3',
    'left4dead2/stats.sq3-journal',
    'left4dead2/cfg/banned_user.cfg',
    'left4dead2/logs/L0101000.log',
    'left4dead2/addons/sourcemod/logs/',
    'auto.dem',
  ])('is %s', (path) => expect(kept.has(path)).toBe(true));

  it.each([
    'left4dead2/cfg/server.cfg',
    'left4dead2/cfg/banned_user.cfg.bak',
    'left4dead2/mylogs/x.log',
    'auto.dem/x',
    'logs',
  ])('is not %s', (path) => expect(kept.has(path)).toBe(false));

  it('is what is asked for: an end of a path, a folder, nothing', () => {
    const asked = new KeptFiles(['cfg/my+plugin.c?g', 'data/*/']);
    expect(asked.has('left4dead2/cfg/my+plugin.cfg')).toBe(true);
    expect(asked.has('left4dead2/other/my+plugin.cfg')).toBe(false);
    expect(asked.has('data/a/b/c.txt')).toBe(true);
    expect(asked.has('data/c.txt')).toBe(false);
    expect(new KeptFiles([]).has('a.sq3')).toBe(false);
  });
});
