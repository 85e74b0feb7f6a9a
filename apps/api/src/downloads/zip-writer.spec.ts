import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { unzipped } from '../../test/zip-file.js';
import { ZipWriter } from './zip-writer.js';

const now = new Date();
const zip = (parts: (writer: ZipWriter) => AsyncGenerator<Buffer>) => buffer(Readable.from(parts(new ZipWriter())));

describe('a zip file', () => {
  it('has what its contents gave, whether that is less or nothing, and names of any language', async () => {
    const file = await zip(async function* (writer) {
      yield* writer.folder('Käse', now);
      yield* writer.file('Käse/日本.txt', now, Readable.from([Buffer.from('shor'), Buffer.from('ter')]), 1000);
      yield* writer.file('nothing', now, Readable.from([]), 10);
      yield* writer.end();
    });
    expect([...unzipped(file)]).toEqual([
      ['Käse/', ''],
      ['Käse/日本.txt', 'shorter'],
      ['nothing', ''],
    ]);
  });

  it('fails with its content, and ends that when nobody reads on', async () => {
    const broken = zip(async function* (writer) {
      const content = async function* () {
        yield Buffer.from('begun');
        throw new Error('the disk is gone');
      };
      yield* writer.file('a', now, Readable.from(content()), 10);
      yield* writer.end();
    });
    await expect(broken).rejects.toThrow('the disk is gone');

    const endless = Readable.from(
      (async function* () {
        for (;;) yield Buffer.alloc(64 * 1024, 'x');
      })(),
    );
    const reading = new ZipWriter().file('endless', now, endless, Number.MAX_SAFE_INTEGER);
    for (let i = 0; i < 3; i++) await reading.next();
    await reading.return(undefined);
    expect(endless.destroyed).toBe(true);
  });

  it('counts more entries than the first zip files could', () => {
    const writer = new ZipWriter();
    const folders = Array.from({ length: 70_000 }, (_, i) => [...writer.folder(String(i), now)]);
    const file = Buffer.concat([...folders.flat(), ...writer.end()]);
    const end = file.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
    expect(file.readUInt16LE(end + 10)).toBe(0xffff);
    const end64 = Number(file.readBigUInt64LE(end - 20 + 8));
    expect(file.readUInt32LE(end64)).toBe(0x06064b50);
    expect(file.readBigUInt64LE(end64 + 32)).toBe(70_000n);
  });
});
