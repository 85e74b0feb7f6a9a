import { describe, expect, it } from 'vitest';
import { type PrintedLine, tellingLine } from './telling-line.js';

const out = (line: string): PrintedLine => ({ stream: 'stdout', line });
const err = (line: string): PrintedLine => ({ stream: 'stderr', line });

describe('the line that says why a program failed', () => {
  it('is what it said on stderr at the end', () => {
    const lines = [
      out('Auto detecting CPU'),
      err('config/server.cfg: line 3: no such map'),
      out('Server shutting down'),
    ];
    expect(tellingLine(lines, 27_015)).toMatchObject({ cause: 'config/server.cfg: line 3: no such map' });
  });

  it('is the last that speaks of a failure, when stderr has been silent for long', () => {
    const lines = [
      err('dlopen: steamclient.so'),
      out('Loading'),
      out('Cannot allocate port 27015'),
      out(''),
      out('one'),
      out('two'),
      out('three'),
    ];
    expect(tellingLine(lines, 27_015)).toEqual({
      cause: 'Cannot allocate port 27015',
      others: ['one', 'two', 'three'],
    });
  });

  it.each([
    "Couldn't allocate any server IP port",
    "Couldn't allocate any server IP port: bind EADDRINUSE 0.0.0.0:27015",
    'WARNING: UDP_OpenSocket: port: 27015  bind: Address already in use',
  ])('is that its port is in use, in plain words first: %s', (line) => {
    const lines = [out('Auto detecting CPU'), out(line), out('bye'), err('dlopen: steamclient.so')];
    expect(tellingLine(lines, 27_015)).toEqual({
      cause: `Port 27015 is in use: ${line}`,
      others: ['Auto detecting CPU', 'bye', 'dlopen: steamclient.so'],
    });
  });

  it('is not that another port is in use', () => {
    const lines = [out('plugin: bind 127.0.0.1:2701: EADDRINUSE'), err('no such map')];
    expect(tellingLine(lines, 27_015)).toMatchObject({ cause: 'no such map' });
  });

  it('is the last line otherwise; of silence there is none; a long one is cut', () => {
    expect(tellingLine([out('one'), out('two'), out(' ')])).toEqual({ cause: 'two', others: ['one'] });
    expect(tellingLine([])).toBeNull();
    const long = tellingLine([out('y'.repeat(5000)), err('x'.repeat(5000)), err('x'.repeat(5000))]);
    expect(long).toEqual({ cause: `${'x'.repeat(300)}…`, others: [`${'y'.repeat(100)}…`] });
  });
});
