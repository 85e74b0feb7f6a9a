import { describe, expect, it } from 'vitest';
import { checkArguments } from './arguments.js';

describe('checkArguments', () => {
  it('accepts what a server is usually given', () => {
    const words = [
      '+map',
      'c1m1_hotel',
      'versus',
      '-tickrate',
      '60',
      '+sv_gametypes',
      'coop,versus',
      '-nomaster',
      '+exec',
      'a.cfg',
    ];
    expect(checkArguments([...words, '+tv_port', '{{tvPort}}', '+sv_x', '-1', '+sv_tags', '{{ name }},x'])).toEqual([]);
  });

  it.each(
    [
      '-game -ip -port -norestart -strictportbind -autoupdate -steam_dir -steamcmd_script -pidfile -gdb -debug -binary',
      '+servercfgfile +rcon_password +ip +hostport',
    ].flatMap((line) => line.split(' ')),
  )('refuses %s in every spelling', (option) => {
    const spellings = [
      option,
      option.toUpperCase(),
      `${option}=1`,
      `"${option}"`,
      `${option} 1`,
      `'${option}`,
      `${option};`,
      ` ${option}`,
    ];
    for (const spelling of spellings) {
      expect(checkArguments(['+map', spelling])).toEqual([
        { path: 'arguments.1', message: expect.stringContaining(option) },
      ]);
    }
  });

  it('says who owns a refused option', () => {
    expect(checkArguments(['-Port', '27016'])).toEqual([
      { path: 'arguments.0', message: "-port is set by the server's port" },
    ]);
  });

  it.each([
    ['line\nbreak', /line break/],
    ['nul\0', /NUL/],
    ['two words', /one word/],
    ['tab\there', /one word/],
    ['', /empty/],
    ['a;b', /semicolon/],
    ['a"b', /quotes/],
    ['@file', /file/],
    ['é', /ASCII/],
    ['x'.repeat(257), /256/],
    ['{{nope}}', /no variable \{\{nope\}\}/],
    ['{{rconPassword}}', /secret/],
    ['x{{ rconPassword }}', /secret/],
    ['-{{name}}', /option's name/],
    ['+{{name}}', /option's name/],
  ])('refuses %j', (word, message) => {
    expect(checkArguments(['ok', word])).toEqual([{ path: 'arguments.1', message: expect.stringMatching(message) }]);
  });

  it('limits their number', () => {
    expect(checkArguments(new Array<string>(129).fill('x'))).toEqual([
      { path: 'arguments', message: 'at most 128 arguments' },
    ]);
  });
});
