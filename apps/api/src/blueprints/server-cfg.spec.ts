import { describe, expect, it } from 'vitest';
import { checkConfig, normalizeLines } from './server-cfg.js';

const none = new Set<string>();

describe('checkConfig', () => {
  it('names the line of what is not plain ASCII', () => {
    expect(checkConfig('sv_region 3\nhostname "Zoë"\n// caf\u00e9\n', none)).toEqual([
      { path: 'config', message: 'line 2, column 13: U+00EB is not plain ASCII' },
      { path: 'config', message: 'line 3, column 7: U+00E9 is not plain ASCII' },
    ]);
    expect(checkConfig('a\n\n\u{1F600}', none)).toEqual([
      { path: 'config', message: 'line 3, column 1: U+1F600 is not plain ASCII' },
    ]);
    expect(checkConfig('a\0b', none)).toEqual([
      { path: 'config', message: 'line 1, column 2: U+0000 is not plain ASCII' },
    ]);
  });

  it('names the place of an unknown variable', () => {
    expect(checkConfig('sv_region 3\nx {{secret.A}}', none)).toEqual([
      { path: 'config', message: expect.stringMatching(/^line 2, column 3: there is no secret named A/) },
    ]);
  });

  it('counts lines the same whatever ends them', () => {
    expect(normalizeLines('a\r\nb\rc\n')).toBe('a\nb\nc\n');
  });

  it('has a limit', () => {
    expect(checkConfig('x'.repeat(65_537), none)).toEqual([
      { path: 'config', message: 'has more than 65536 characters' },
    ]);
  });
});
