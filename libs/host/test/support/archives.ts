import { crc32, deflateRawSync } from 'node:zlib';

export interface TestEntry {
  name: string | Buffer;
  content?: string | Buffer;
  /** Of tar: `0` file, `1` hard link, `2` link, `3` device, `5` folder, `x`, `L`. */
  type?: string;
  mode?: number;
  /** What the header claims; default: the content's. */
  size?: number;
}

/** A tar in the format that every program has read since 1988; what is wrong with it is the test's business. */
export function tarOf(entries: readonly TestEntry[], end: Buffer = Buffer.alloc(1024)): Buffer {
  const blocks = entries.flatMap(({ name, content = '', type = '0', mode = 0o644, size }) => {
    const body = Buffer.from(content);
    const header = Buffer.alloc(512);
    Buffer.from(name).copy(header, 0);
    header.write(mode.toString(8).padStart(7, '0'), 100);
    header.write((size ?? body.length).toString(8).padStart(11, '0'), 124);
    header.write(type, 156);
    header.write('ustar\x0000', 257);
    header.fill(' ', 148, 156);
    const sum = header.reduce((all, byte) => all + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, end]);
}

const UNIX = 3 << 8;

/** A zip; modes are Unix ones. */
export function zipOf(entries: readonly TestEntry[], flags = 0x800): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = '', mode = 0o100644, size } of entries) {
    const body = Buffer.from(content);
    const packed = deflateRawSync(body);
    const path = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(body), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size ?? body.length, 18);
    common.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, path, packed]);
    const central = Buffer.alloc(14);
    central.writeUInt32LE((mode << 16) >>> 0, 6);
    central.writeUInt32LE(offset, 10);
    const madeBy = Buffer.alloc(2);
    madeBy.writeUInt16LE(UNIX);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), madeBy, common, central, path]));
    parts.push(local);
    offset += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, end]);
}
