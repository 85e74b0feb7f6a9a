import { describe, expect, it } from 'vitest';
import { InvalidSpec } from '../errors.js';
import { formatSpec, parseSpec, validateSpec } from './spec.js';

const minimal = { port: 27015, overlays: ['3/7'], arguments: ['+map', 'c1m1_hotel'], files: [], hide: [] };

function refusedField(change: object): string {
  try {
    validateSpec({ ...minimal, ...change });
  } catch (error) {
    if (error instanceof InvalidSpec) return error.path;
    throw error;
  }
  return '(accepted)';
}

describe('the specification of an instance', () => {
  it('survives being written and read', () => {
    const spec = { ...minimal, build: 'demo-1', files: [{ path: 'left4dead2/cfg/a.cfg', content: 'x "1"\n\n# y' }] };
    expect(parseSpec(formatSpec(spec))).toEqual(spec);
  });

  it('needs no more than a port', () => {
    expect(parseSpec('port: 27015')).toEqual({ port: 27015, overlays: [], arguments: [], files: [], hide: [] });
  });

  it.each([
    [{ color: 'red' }, 'color'],
    [{ port: 80 }, 'port'],
    [{ port: '27015' }, 'port'],
    [{ build: '../x' }, 'build'],
    [{ overlays: ['3/7', '../7'] }, 'overlays[1]'],
    [{ overlays: ['3/7', '/3/7'] }, 'overlays[1]'],
    [{ overlays: ['3/7:4'] }, 'overlays[0]'],
    [{ overlays: ['3/7,4'] }, 'overlays[0]'],
    [{ overlays: ['3/7\\4'] }, 'overlays[0]'],
    [{ overlays: ['3/7', '3/7'] }, 'overlays[1]'],
    [{ overlays: 'all' }, 'overlays'],
    [{ arguments: ['+map', 'a\nb'] }, 'arguments[1]'],
    [{ arguments: ['a\0b'] }, 'arguments[0]'],
    [{ arguments: [1] }, 'arguments[0]'],
    [{ files: [{ path: '../x', content: '' }] }, 'files[0].path'],
    [{ files: [{ path: '/x', content: '' }] }, 'files[0].path'],
    [{ files: [{ path: 'a//x', content: '' }] }, 'files[0].path'],
    [{ files: [{ path: 'x', content: 'a\0' }] }, 'files[0].content'],
    [{ files: [{ path: 'x', content: '', mode: 7 }] }, 'files[0].mode'],
    [
      {
        files: [
          { path: 'x', content: '' },
          { path: 'x/y', content: '' },
        ],
      },
      'files[1].path',
    ],
    [{ hide: ['a/../b'] }, 'hide[0]'],
    [{ hide: Array.from({ length: 125 }, (_, i) => String(i).padStart(200, 'n')) }, 'hide'],
    [{ hide: ['a'], files: [{ path: 'a/b', content: '' }] }, 'hide[0]'],
  ])('refuses %j, naming the field', (change, field) => {
    expect(refusedField(change)).toBe(field);
  });

  it('reports a broken file as such', () => {
    expect(() => parseSpec('port: [')).toThrow(InvalidSpec);
    expect(() => parseSpec('- 1')).toThrow('must be a mapping');
  });
});
