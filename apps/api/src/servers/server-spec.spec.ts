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
const cfg = (some: Partial<Recipe>) => serverSpec(recipe(some), pins, 'secret').files[0]?.content.split('\n') ?? [];

describe('serverSpec', () => {
  it('pins the revisions, first one first, and the build', () => {
    const spec = serverSpec(recipe(), pins, 'secret');
    expect(spec).toMatchObject({ port: 27_015, build: '1234', overlays: ['7/3', '8/1', '9/12'], hide: [] });
  });

  it('renders the arguments and starts on a map when none is given', () => {
    expect(serverSpec(recipe(), pins, 's').arguments).toEqual([
      '-tickrate',
      '60',
      '+tv_port',
      '37015',
      '+map',
      'c1m1_hotel',
    ]);
    expect(serverSpec(recipe({ arguments: ['+Map', 'c2m1_highway'] }), pins, 's').arguments).toEqual([
      '+Map',
      'c2m1_highway',
    ]);
  });

  it('executes exposed overlays from the bottom to the top, then the blueprint, last of all the panel', () => {
    expect(serverSpec(recipe(), pins, 'secret').files).toEqual([
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
    const spec = serverSpec(recipe(), { ...pins, serverCfgs: new Map() }, 's');
    expect(spec.files).toHaveLength(1);
    expect(spec.files[0]?.content).not.toContain('exec ');
  });

  it('shows the name where the title is not plain ASCII', () => {
    expect(cfg({ title: 'Zoës Haus' })).toContain('hostname "versus-1"');
    expect(cfg({ title: 'Zoës Haus', config: 'say "{{title}}"' })).toContain('say "versus-1"');
    for (const line of cfg({ title: '\u202e\u{1F600}' })) expect(line).toMatch(/^[\x20-\x7e]*$/);
  });

  it('keeps the password out of the arguments', () => {
    expect(serverSpec(recipe(), pins, 'secret').arguments.join(' ')).not.toContain('secret');
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
});
