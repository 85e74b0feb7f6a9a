import { describe, expect, it } from 'vitest';
import { checkFiles, checkHide } from './generated-files.js';

const secrets = new Set(['TOKEN']);
const file = (path: string, content = '') => ({ path, content });

describe('checkFiles', () => {
  it('accepts texts below the game, with variables and secrets', () => {
    const files = [
      file('left4dead2/motd.txt', 'Hallo Zoë: {{title}}'),
      file('left4dead2/cfg/sourcemod/x.cfg', 'token "{{secret.TOKEN}}"'),
      file('left4dead2/cfg/valve.rc', 'exec x.cfg'),
      file('left4dead2/cfg/server_overlay.cfg'),
      file('a b/ü.txt'),
    ];
    expect(checkFiles(files, secrets)).toEqual([]);
  });

  it.each([
    ['', /empty/],
    ['/etc/passwd', /relative/],
    ['left4dead2/../x', /"\.\."/],
    ['a//b', /empty parts/],
    ['a\nb', /control/],
    [`${'x/'.repeat(1100)}x`, /2048/],
    ['a:b', /":"/],
    ['a,b', /","/],
    ['a\\b', /"\\"/],
    ['\ud800', /Unicode/],
    ['left4dead2/cfg/server.cfg', /config/],
    ['left4dead2/cfg/Server.cfg', /config/],
    ['left4dead2/cfg/server.cfg/x', /config/],
    ['left4dead2/cfg', /folder/],
    ['left4dead2', /folder/],
    ['left4dead2/cfg/server_overlay_2.cfg', /exposeServerCfg/],
    ['left4dead2/cfg/server_overlay_2.cfg/x', /exposeServerCfg/],
    ['left4dead2/bin', /folder/],
    ['srcds_run', /starts the server/],
    ['srcds_linux/x', /starts the server/],
  ])('refuses the path %j', (path, message) => {
    expect(checkFiles([file('ok'), file(path)], secrets)).toEqual([
      { path: 'files.1.path', message: expect.stringMatching(message) },
    ]);
  });

  it('refuses one path twice, and a file below another one', () => {
    expect(checkFiles([file('a/b'), file('c'), file('a/b')], secrets)).toEqual([
      { path: 'files.2.path', message: 'a/b is there twice' },
    ]);
    expect(checkFiles([file('a/b/c'), file('a/b')], secrets)).toEqual([
      { path: 'files.0.path', message: expect.stringMatching(/^a\/b is in the list/) },
    ]);
    expect(checkFiles([file('a/b'), file('a/bc')], secrets)).toEqual([]);
  });

  it('refuses contents that cannot be written or filled in, naming the line', () => {
    expect(checkFiles([file('a', 'x\0'), file('b', '\ud800'), file('c', 'a\n {{secret.X}}{{nope}}')], secrets)).toEqual(
      [
        { path: 'files.0.content', message: 'must not contain NUL' },
        { path: 'files.1.content', message: 'must be well-formed Unicode' },
        { path: 'files.2.content', message: expect.stringMatching(/^line 2, column 2: there is no secret named X/) },
        {
          path: 'files.2.content',
          message: expect.stringMatching(/^line 2, column 14: there is no variable \{\{nope/),
        },
      ],
    );
  });

  it('limits their number and their size', () => {
    expect(
      checkFiles(
        Array.from({ length: 65 }, (_, index) => file(`f${index}`)),
        secrets,
      ),
    ).toEqual([{ path: 'files', message: 'at most 64 files' }]);
    expect(checkFiles([file('a', 'ü'.repeat(131_072)), file('b', 'x')], secrets)).toEqual([
      { path: 'files', message: expect.stringMatching(/262144 bytes/) },
    ]);
  });
});

describe('checkHide', () => {
  it('accepts what is shipped', () => {
    expect(checkHide(['left4dead2/addons/x.vpk', 'left4dead2/cfg/autoexec.cfg', 'left4dead2/maps'], [])).toEqual([]);
  });

  it.each([
    ['../x', /"\.\."/],
    ['a:b', /":"/],
    ['left4dead2/cfg/server.cfg', /cannot be hidden/],
    ['left4dead2/cfg', /cannot be hidden/],
    ['left4dead2', /cannot be hidden/],
    ['left4dead2/cfg/server_overlay_1.cfg', /exposeServerCfg/],
    ['srcds_run', /no server starts without srcds_run/],
    ['left4dead2/cfg/valve.rc', /no server starts without left4dead2\/cfg\/valve\.rc/],
    ['bin', /no server starts without bin/],
  ])('refuses %j', (path, message) => {
    expect(checkHide(['ok', path], [])).toEqual([{ path: 'hide.1', message: expect.stringMatching(message) }]);
  });

  it('refuses what the files write, folders around it and what would be below it', () => {
    const files = [file('left4dead2/maps/a.txt')];
    for (const path of ['left4dead2/maps', 'left4dead2/maps/a.txt', 'left4dead2/maps/a.txt/x']) {
      expect(checkHide([path], files)).toEqual([
        { path: 'hide.0', message: 'files writes left4dead2/maps/a.txt: what is written cannot be hidden' },
      ]);
    }
    expect(checkHide(['left4dead2/map'], files)).toEqual([]);
  });

  it('refuses one path twice or below another, and too many', () => {
    expect(checkHide(['a', 'b', 'a'], [])).toEqual([{ path: 'hide.2', message: 'a is there twice' }]);
    expect(checkHide(['a', 'a/b'], [])).toEqual([{ path: 'hide.1', message: expect.stringMatching(/^a is in/) }]);
    expect(
      checkHide(
        Array.from({ length: 201 }, (_, index) => `p${index}`),
        [],
      ),
    ).toEqual([{ path: 'hide', message: 'at most 200 paths' }]);
    const long = Array.from({ length: 125 }, (_, index) => String(index).padStart(200, 'n'));
    expect(checkHide(long, [])).toEqual([
      { path: 'hide', message: 'have 25250 bytes, at most 24576 in all: hide their folder' },
    ]);
    expect(checkHide(long.slice(0, 121), [])).toEqual([]);
  });
});
