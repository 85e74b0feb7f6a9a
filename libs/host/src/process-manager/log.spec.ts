import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogRequest, ServerLogLine } from '../host.js';
import { LogWriter } from './log-writer.js';
import { readLog } from './log-reader.js';
import { parsePosition, segmentsOf } from './log-format.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'left4me-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function read(request: LogRequest): Promise<ServerLogLine[]> {
  const lines: ServerLogLine[] = [];
  for await (const line of readLog(folder, request)) lines.push(line);
  return lines;
}

async function texts(request: LogRequest): Promise<string[]> {
  return (await read(request)).map((line) => line.line);
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);
}

describe("a server's log", () => {
  it('gives back streams, times and texts as they were', async () => {
    const writer = new LogWriter(folder, 1000, () => Date.UTC(2026, 0, 2, 3, 4, 5, 678));
    writer.write('stdout', ['a  b ', '']);
    writer.write('stderr', ['ü\u001b[1m']);
    const lines = await read({});
    expect(lines.map(({ stream, line }) => [stream, line])).toEqual([
      ['stdout', 'a  b '],
      ['stdout', ''],
      ['stderr', 'ü\u001b[1m'],
    ]);
    expect(lines[0]?.at).toBe('2026-01-02T03:04:05.678Z');
  });

  it('gives the last lines, also across segments, and resumes after each position without gap or duplicate', async () => {
    const writer = new LogWriter(folder, 200);
    for (const line of numbers(1, 40)) writer.write('stdout', [line]);
    expect(segmentsOf(readdirSync(folder)).length).toBeGreaterThan(3);
    expect(await texts({ lines: 0 })).toEqual([]);
    expect(await texts({ lines: 1 })).toEqual(['line 40']);
    for (const count of [5, 7, 13, 40, 99])
      expect(await texts({ lines: count })).toEqual(numbers(41 - Math.min(count, 40), 40));
    const all = await read({ lines: 100 });
    for (const [i, line] of all.entries()) {
      expect(await texts({ after: line.position })).toEqual(numbers(i + 2, 40));
    }
  });

  it('hands out positions that only grow, also when the folder was deleted in between', async () => {
    new LogWriter(folder, 60, () => 50_000).write('stdout', ['first life']);
    const [before] = await read({});
    rmSync(folder, { recursive: true });
    new LogWriter(folder, 60, () => 60_000).write('stdout', ['second life']);
    const [after] = await read({ after: before?.position });
    expect(after?.line).toBe('second life');
    expect(parsePosition(after?.position ?? '')?.segment).toBeGreaterThan(
      parsePosition(before?.position ?? '')?.segment ?? 0,
    );
  });

  it('keeps ten segments and goes on from the oldest one after an expired position', async () => {
    const writer = new LogWriter(folder, 40);
    for (const line of numbers(1, 60)) writer.write('stdout', [line]);
    expect(segmentsOf(readdirSync(folder))).toHaveLength(10);
    const [oldest] = await texts({ lines: 1000 });
    expect((await texts({ after: '1-1' }))[0]).toBe(oldest);
    expect((await texts({ after: '99999999999-1' }))[0], 'after what only another machine has').toBe(oldest);
  });

  it('never shows half a line, and does not continue a torn one', async () => {
    new LogWriter(folder).write('stdout', ['whole']);
    const file = join(folder, readdirSync(folder)[0] ?? '');
    appendFileSync(file, '1700000000000 o to');
    expect(await texts({})).toEqual(['whole']);
    new LogWriter(folder).write('stdout', ['next run']);
    expect(await texts({})).toEqual(['whole', 'next run']);
    expect(await texts({ lines: 1 })).toEqual(['next run']);
  });

  it('follows from before the first line through rotations until the signal', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const line of readLog(join(folder, 'later'), { follow: true, signal: stop.signal })) {
        seen.push(line.line);
        if (seen.length === 30) stop.abort();
      }
    })();
    const writer = new LogWriter(join(folder, 'later'), 100);
    for (const line of numbers(1, 30)) {
      writer.write('stdout', [line]);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await reading;
    expect(seen).toEqual(numbers(1, 30));
  });
});
