/**
 * The records of a zip file that is written in one go (PKWARE APPNOTE.TXT 6.3.10, "4.3 General Format of a .ZIP file"): sizes and checksum
 * follow each content, in a data descriptor. Names are UTF-8. Zip64 where a size or an offset needs it.
 */
const SIGNATURE = { local: 0x04034b50, descriptor: 0x08074b50, central: 0x02014b50 } as const;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const VERSION = 20;
const VERSION_64 = 45;
/** Made by Unix, so that the permissions below count. */
const MADE_BY = (3 << 8) | VERSION_64;
/** Bit 3: a data descriptor follows; bit 11: the name is UTF-8. */
const FLAGS = (1 << 3) | (1 << 11);
const DEFLATED = 8;
const STORED = 0;
const FILE_MODE = 0o100644;
const FOLDER_MODE = 0o040755;
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;

export interface ZipEntry {
  /** Folders end with '/'. */
  name: Buffer;
  folder: boolean;
  modifiedAt: Date;
  /** Its sizes take 8 bytes; to be known before them. */
  large: boolean;
  /** Of its local header, in the zip file. */
  offset: number;
  crc32: number;
  size: number;
  compressedSize: number;
}

/** What a content begins with. */
export function localHeader(entry: ZipEntry): Buffer {
  const extra = entry.large ? extra64([0, 0]) : Buffer.alloc(0);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(SIGNATURE.local, 0);
  header.writeUInt16LE(entry.large ? VERSION_64 : VERSION, 4);
  common(entry).copy(header, 6);
  if (entry.large) header.fill(0xff, 18, 26);
  header.writeUInt16LE(entry.name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, entry.name, extra]);
}

/** What it ends with. */
export function dataDescriptor({ crc32, size, compressedSize, large }: ZipEntry): Buffer {
  const descriptor = Buffer.alloc(large ? 24 : 16);
  descriptor.writeUInt32LE(SIGNATURE.descriptor, 0);
  descriptor.writeUInt32LE(crc32, 4);
  if (large) {
    descriptor.writeBigUInt64LE(BigInt(compressedSize), 8);
    descriptor.writeBigUInt64LE(BigInt(size), 16);
  } else {
    descriptor.writeUInt32LE(compressedSize, 8);
    descriptor.writeUInt32LE(size, 12);
  }
  return descriptor;
}

/** Its record in the list at the zip file's end. */
export function centralRecord(entry: ZipEntry): Buffer {
  const wide = entry.large || entry.offset >= MAX_32;
  const extra = wide ? extra64([entry.size, entry.compressedSize, entry.offset]) : Buffer.alloc(0);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(SIGNATURE.central, 0);
  record.writeUInt16LE(MADE_BY, 4);
  record.writeUInt16LE(wide ? VERSION_64 : VERSION, 6);
  common(entry).copy(record, 8);
  record.writeUInt32LE(entry.crc32, 16);
  record.writeUInt32LE(wide ? MAX_32 : entry.compressedSize, 20);
  record.writeUInt32LE(wide ? MAX_32 : entry.size, 24);
  record.writeUInt16LE(entry.name.length, 28);
  record.writeUInt16LE(extra.length, 30);
  // External attributes: the permissions of Unix above, the folder bit of DOS below.
  record.writeUInt16LE(entry.folder ? 0x10 : 0, 38);
  record.writeUInt16LE(entry.folder ? FOLDER_MODE : FILE_MODE, 40);
  record.writeUInt32LE(wide ? MAX_32 : entry.offset, 42);
  return Buffer.concat([record, entry.name, extra]);
}

/** The last thing in the zip file. */
export function endRecords(entries: number, directory: { offset: number; size: number }): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(Math.min(entries, MAX_16), 8);
  end.writeUInt16LE(Math.min(entries, MAX_16), 10);
  end.writeUInt32LE(Math.min(directory.size, MAX_32), 12);
  end.writeUInt32LE(Math.min(directory.offset, MAX_32), 16);
  if (entries < MAX_16 && directory.offset + directory.size < MAX_32) return end;
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(END_64, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeUInt16LE(MADE_BY, 12);
  end64.writeUInt16LE(VERSION_64, 14);
  end64.writeBigUInt64LE(BigInt(entries), 24);
  end64.writeBigUInt64LE(BigInt(entries), 32);
  end64.writeBigUInt64LE(BigInt(directory.size), 40);
  end64.writeBigUInt64LE(BigInt(directory.offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(LOCATOR_64, 0);
  locator.writeBigUInt64LE(BigInt(directory.offset + directory.size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([end64, locator, end]);
}

/** Flags, method, time and date: the same in both headers of an entry. */
function common({ folder, modifiedAt }: ZipEntry): Buffer {
  const fields = Buffer.alloc(8);
  // A folder has no content, so nothing follows it.
  fields.writeUInt16LE(folder ? FLAGS & ~(1 << 3) : FLAGS, 0);
  fields.writeUInt16LE(folder ? STORED : DEFLATED, 2);
  const year = Math.min(Math.max(modifiedAt.getUTCFullYear(), 1980), 2107);
  const seconds = Math.floor(modifiedAt.getUTCSeconds() / 2);
  fields.writeUInt16LE((modifiedAt.getUTCHours() << 11) | (modifiedAt.getUTCMinutes() << 5) | seconds, 4);
  fields.writeUInt16LE(((year - 1980) << 9) | ((modifiedAt.getUTCMonth() + 1) << 5) | modifiedAt.getUTCDate(), 6);
  return fields;
}

function extra64(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  for (const [i, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  return extra;
}
