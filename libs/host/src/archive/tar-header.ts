import { ArchiveRefused } from '../errors.js';

export const BLOCK_BYTES = 512;
const CHECKSUM_AT = 148;

/** A header block of the ustar and GNU formats: https://www.gnu.org/software/tar/manual/html_node/Standard.html */
export interface TarHeader {
  name: Buffer;
  /** Of what follows, in bytes. */
  size: number;
  /** The type flag, one character. */
  type: string;
  mode: number;
}

/** Whether a block is a tar header, by its checksum; formats older than ustar have no other mark. */
export function isTarHeader(block: Buffer): boolean {
  if (block.length < BLOCK_BYTES) return false;
  const stored = number(block.subarray(CHECKSUM_AT, CHECKSUM_AT + 8));
  let sum = 8 * 0x20; // the checksum itself counts as spaces
  for (let at = 0; at < BLOCK_BYTES; at++) if (at < CHECKSUM_AT || at >= CHECKSUM_AT + 8) sum += block[at] ?? 0;
  return stored === sum;
}

/** Throws `ArchiveRefused`. */
export function parseTarHeader(block: Buffer): TarHeader {
  if (!isTarHeader(block)) throw new ArchiveRefused('the archive is damaged: a header of the tar has a wrong checksum');
  const size = number(block.subarray(124, 136));
  if (size === null) throw new ArchiveRefused('the archive is damaged: a size in the tar is not a number');
  const name = text(block.subarray(0, 100));
  // GNU's own format keeps other things where ustar has the prefix.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block.subarray(345, 500)) : Buffer.alloc(0);
  return {
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    size,
    type: String.fromCharCode(block[156] ?? 0),
    mode: number(block.subarray(100, 108)) ?? 0,
  };
}

/** The records of an extended header: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */
export function parsePax(body: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(body.toString('latin1', at, space));
    const equals = body.indexOf(0x3d, space);
    const end = at + length;
    if (!Number.isInteger(length) || end > body.length || equals < 0 || equals >= end || body[end - 1] !== 0x0a) {
      throw new ArchiveRefused('the archive is damaged: an extended header of the tar cannot be read');
    }
    records.set(body.toString('latin1', space + 1, equals), body.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

export function text(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** Octal digits, or GNU's base 256 for large numbers; null: neither. */
function number(field: Buffer): number | null {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = (field[0] ?? 0) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return Number.isSafeInteger(value) ? value : null;
  }
  const digits = text(field).toString('latin1').trim();
  if (digits === '') return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : null;
}
