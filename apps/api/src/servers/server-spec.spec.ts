import { describe, expect, it } from 'vitest';
import { type Recipe, specHash } from './recipe.js';
import { recipeChanges } from './pending-changes.js';
import { serverSpec } from './server-spec.js';

const recipe = (some: Partial<Recipe> = {}): Recipe => ({
  name: 'versus-1',
  title: 'Versus "1"; quit',
  port: 27_015,
  blueprint: { id: 1, name: 'competitive' },
  overlays: [
    { id: 7, name: 'top', exposeServerCfg: true },
    { id: 8, name: 'middle', exposeServerCfg: false },
    { id: 9, name: 'bottom', exposeServerCfg: true },
  ],
  arguments: ['-tickrate', '60', '+tv_port', '{{tvPort}}'],
  config: 'sv_tags "{{name}}"\nrcon_password "known to all"\n\n',
  files: [],
  hide: [],
  secrets: [],
  ...some,
});
const pins = {
  build: '1234',
  revisions: new Map([
    [7, 3],
    [8, 1],
    [9, 12],
  ]),
  serverCfgs: new Map([
    [7, 'hostname "pack"\r\n// caf\u00e9'],
    [8, 'not exposed'],
    [9, 'sv_cheats 1\n'],
  ]),
};
const confidential = { rconPassword: 'secret', secrets: new Map([['TOKEN', 's3cr3t word']]) };
const cfg = (some: Partial<Recipe>) => serverSpec(recipe(some), pins, confidential).files[0]?.content.split('\n') ?? [];

describe('serverSpec', () => {
  it('pins the revisions, first one first, and the build', () => {
    const spec = serverSpec(recipe(), pins, confidential);
    expect(spec).toMatchObject({ port: 27_015, build: '1234', overlays: ['7/3', '8/1', '9/12'], hide: [] });
  });

  it('renders the arguments and starts on a map when none is given', () => {
    expect(serverSpec(recipe(), pins, confidential).arguments).toEqual([
      '-tickrate',
      '60',
      '+tv_port',
      '37015',
      '+map',
      'c1m1_hotel',
    ]);
    expect(serverSpec(recipe({ arguments: ['+Map', 'c2m1_highway'] }), pins, confidential).arguments).toEqual([
      '+Map',
      'c2m1_highway',
    ]);
  });

  it('executes exposed overlays from the bottom to the top, then the blueprint, last of all the panel', () => {
    expect(serverSpec(recipe(), pins, confidential).files).toEqual([
      {
        path: 'left4dead2/cfg/server.cfg',
        content: [
          '// Written by left4me at every start: change the blueprint instead.',
          'exec server_overlay_3.cfg',
          'exec server_overlay_1.cfg',
          'sv_tags "versus-1"',
          'rcon_password "known to all"',
          `hostname "Versus '1'; quit"`,
          'rcon_password "secret"',
          '',
        ].join('\n'),
      },
      { path: 'left4dead2/cfg/server_overlay_1.cfg', content: 'hostname "pack"\n// caf?\n' },
      { path: 'left4dead2/cfg/server_overlay_3.cfg', content: 'sv_cheats 1\n' },
    ]);
  });

  it('leaves out an exposed overlay that has no server.cfg', () => {
    const spec = serverSpec(recipe(), { ...pins, serverCfgs: new Map() }, confidential);
    expect(spec.files).toHaveLength(1);
    expect(spec.files[0]?.content).not.toContain('exec ');
  });

  it('shows the name where the title is not plain ASCII', () => {
    expect(cfg({ title: 'Zoës Haus' })).toContain('hostname "versus-1"');
    expect(cfg({ title: 'Zoës Haus', config: 'say "{{title}}"' })).toContain('say "versus-1"');
    for (const line of cfg({ title: '\u202e\u{1F600}' })) expect(line).toMatch(/^[\x20-\x7e]*$/);
  });

  it('writes the other files: as server.cfg where the console reads them, as they are elsewhere', () => {
    const content = 'title "{{title}}" {{secret.TOKEN}}';
    const spec = serverSpec(
      recipe({
        title: 'Zoë "1"',
        hide: ['left4dead2/addons/x.vpk'],
        files: [
          { path: 'left4dead2/cfg/Extra.CFG', content },
          { path: 'left4dead2/motd.txt', content },
        ],
      }),
      pins,
      confidential,
    );
    expect(spec.files.slice(3)).toEqual([
      { path: 'left4dead2/cfg/Extra.CFG', content: 'title "versus-1" "s3cr3t word"' },
      { path: 'left4dead2/motd.txt', content: 'title "Zoë "1"" s3cr3t word' },
    ]);
    expect(spec.hide).toEqual(['left4dead2/addons/x.vpk']);
  });

  it('keeps the password out of the arguments', () => {
    expect(serverSpec(recipe(), pins, confidential).arguments.join(' ')).not.toContain('secret');
  });
});

describe('specHash', () => {
  it('tells what reaches the server, and nothing else', () => {
    const hash = specHash(recipe());
    expect(specHash(recipe({ blueprint: { id: 2, name: 'copy' } }))).toBe(hash);
    expect(specHash(recipe({ overlays: recipe().overlays.map((overlay) => ({ ...overlay, name: 'renamed' })) }))).toBe(
      hash,
    );
    for (const change of [
      { name: 'x' },
      { title: 'x' },
      { port: 27_016 },
      { overlays: recipe().overlays.toReversed() },
      { overlays: recipe().overlays.map((overlay) => ({ ...overlay, exposeServerCfg: true })) },
      { arguments: [] },
      { config: '' },
      { files: [{ path: 'a', content: '' }] },
      { hide: ['a'] },
      { secrets: [{ id: 1, name: 'TOKEN', version: 2 }] },
    ]) {
      expect(specHash(recipe(change))).not.toBe(hash);
    }
  });
});

describe('recipeChanges', () => {
  it('says what was edited', () => {
    const now = recipe({
      title: 'New',
      port: 27_016,
      blueprint: { id: 2, name: 'casual' },
      overlays: [
        { id: 9, name: 'bottom', exposeServerCfg: false },
        { id: 7, name: 'top', exposeServerCfg: true },
        { id: 5, name: 'maps', exposeServerCfg: false },
      ],
      arguments: [],
      config: '',
    });
    expect(recipeChanges(recipe(), now)).toEqual([
      'title: Versus "1"; quit → New',
      'port: 27015 → 27016',
      'blueprint: competitive → casual',
      'overlay maps: added',
      'overlay middle: removed',
      'the overlays are in another order',
      'overlay bottom: its server.cfg is not executed',
      'the arguments have changed',
      'server.cfg has changed',
    ]);
    expect(recipeChanges(now, now)).toEqual([]);
  });

  it('says of files, hidden paths and secrets which ones', () => {
    const file = (path: string, content = '') => ({ path, content });
    const secret = (id: number, name: string, version: number) => ({ id, name, version });
    const before = recipe({
      files: [file('a'), file('b'), file('c')],
      hide: ['x'],
      secrets: [secret(1, 'A', 1), secret(2, 'B', 1), secret(3, 'C', 4), secret(4, 'D', 1)],
    });
    const now = recipe({
      files: [file('c'), file('b', 'new'), file('d')],
      hide: ['y'],
      secrets: [secret(1, 'A', 2), secret(2, 'B', 1), secret(9, 'C', 4), secret(5, 'E', 1)],
    });
    expect(recipeChanges(before, now)).toEqual([
      'file d: added',
      'file a: removed',
      'file b has changed',
      'the hidden paths have changed',
      'secret A has changed',
      'secret C has changed',
    ]);
  });
});
