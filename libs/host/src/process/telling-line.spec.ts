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
    expect(tellingLine(lines)).toMatchObject({ cause: 'config/server.cfg: line 3: no such map' });
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
    expect(tellingLine(lines)).toEqual({ cause: 'Cannot allocate port 27015', others: ['one', 'two', 'three'] });
  });

  it('is the last line otherwise; of silence there is none; a long one is cut', () => {
    expect(tellingLine([out('one'), out('two'), out(' ')])).toEqual({ cause: 'two', others: ['one'] });
    expect(tellingLine([])).toBeNull();
    const long = tellingLine([out('y'.repeat(5000)), err('x'.repeat(5000)), err('x'.repeat(5000))]);
    expect(long).toEqual({ cause: `${'x'.repeat(300)}…`, others: [`${'y'.repeat(100)}…`] });
  });
});
