import { describe, expect, it } from 'vitest';
import { checkTemplate, renderArgument, renderConfig, renderText, secretsIn, type Variables } from './template.js';

const values = (some: Partial<Variables> = {}): Variables => ({
  name: 'versus-1',
  title: 'Versus 1',
  port: '27015',
  tvPort: '37015',
  rconPassword: 'secret',
  secrets: new Map([['TOKEN', 'to ken']]),
  ...some,
});

/** What the engine's console makes of a line: splits at `;` outside quotes, stops at `//`, quotes are never escaped. */
function commands(line: string): string[] {
  const found: string[] = [];
  let command = '';
  let quoted = false;
  for (let i = 0; i < line.length; i += 1) {
    if (line[i] === '"') quoted = !quoted;
    if (!quoted && line.startsWith('//', i)) break;
    if (!quoted && line[i] === ';') {
      found.push(command.trim());
      command = '';
    } else command += line[i];
  }
  return [...found, command.trim()];
}

const check = (template: string) => checkTemplate(template, new Set(['TOKEN']));

describe('checkTemplate', () => {
  it('accepts the known variables, spaces around them too', () => {
    expect(check('{{name}} {{ title }}\n{{port}}{{tvPort}} "{{rconPassword}}" } { }}')).toEqual([]);
  });

  it('names an unknown variable with its place', () => {
    expect(check('a\nhostname "{{name}} {{nmae}}"\n{{secret.X}}')).toEqual([
      { line: 2, column: 20, message: expect.stringContaining('no variable {{nmae}}') },
      { line: 3, column: 1, message: expect.stringContaining('no secret named X') },
    ]);
  });

  it('knows the secrets there are', () => {
    expect(check('x {{secret.TOKEN}} {{ secret.TOKEN }}')).toEqual([]);
    expect(check('{{secret.token}}{{secret.}}{{secret}}')).toHaveLength(3);
    expect(secretsIn('{{secret.TOKEN}} {{name}} {{ secret.X }}')).toEqual(['TOKEN', 'X']);
  });

  it('finds braces that are never closed, also behind a variable and over a line end', () => {
    expect(check('x {{port}} {{name')).toEqual([{ line: 1, column: 12, message: '{{ is never closed with }}' }]);
    expect(check('{{name\n}}')).toEqual([{ line: 1, column: 1, message: '{{ is never closed with }}' }]);
  });
});

describe('renderConfig', () => {
  it('fills in values and leaves everything else', () => {
    expect(renderConfig('hostname "{{title}}"\nsv_tags {{name}},{{port}} // {{name}}\n', values())).toBe(
      'hostname "Versus 1"\nsv_tags versus-1,27015 // versus-1\n',
    );
  });

  it.each([
    'x"; rcon_password pwned; "',
    'x\nrcon_password pwned',
    'x; rcon_password pwned',
    '"',
    'x\r\0rcon_password pwned',
    '// "',
  ])('keeps %j inside its command', (title) => {
    for (const template of [
      'hostname "{{title}}"; port {{port}}',
      'hostname {{title}}; port {{port}}',
      'say "a" {{title}}',
    ]) {
      const rendered = renderConfig(template, values({ title }));
      expect(rendered.split('\n')).toHaveLength(1);
      const found = commands(rendered);
      expect(found).toHaveLength(commands(renderConfig(template, values())).length);
      expect(found.every((command) => /^(hostname|port|say) /.test(command))).toBe(true);
    }
  });

  it('does not take a value for a template', () => {
    expect(renderConfig('hostname "{{title}}"', values({ title: '{{rconPassword}}' }))).toBe(
      'hostname "{{rconPassword}}"',
    );
  });
});

describe('renderArgument', () => {
  it('keeps a value one word', () => {
    expect(renderArgument('tag,{{title}}', values({ title: 'a b "c"; -port 1' }))).toBe('tag,a_b_c_-port_1');
    expect(renderArgument('{{port}}', values())).toBe('27015');
  });

  it('lets no value begin an option', () => {
    expect(renderArgument('{{title}}', values({ title: '-port' }))).toBe('port');
    expect(renderArgument('{{title}}', values({ title: '+rcon_password' }))).toBe('_rcon_password');
    expect(renderArgument('{{title}}', values({ title: '--' }))).toBe('_');
  });
});

describe('secrets', () => {
  it('stand as they are in a text, and inside their command in a server.cfg', () => {
    expect(renderText('key={{ secret.TOKEN }}\n{{title}}', values({ title: 'Zoë "1"' }))).toBe('key=to ken\nZoë "1"');
    expect(renderConfig('sv_password {{secret.TOKEN}}', values())).toBe('sv_password "to ken"');
  });

  it('are not taken for templates', () => {
    const secrets = new Map([['A', '{{rconPassword}} $& $1']]);
    expect(renderText('{{secret.A}}', values({ secrets }))).toBe('{{rconPassword}} $& $1');
    expect(renderConfig('x "{{secret.A}}"', values({ secrets }))).toBe('x "{{rconPassword}} $& $1"');
  });
});
