import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Interrupted } from '../errors.js';
import { hasCode } from './durable.js';

/*
 * The format: https://developer.valvesoftware.com/wiki/VPK_(file_format). A header, a directory tree of
 * extension → folder → file name, each level ended by an empty string, then the contents.
 */
const SIGNATURE = 0x55aa1234;
const HEADER_BYTES: Readonly<Record<number, number>> = { 1: 12, 2: 28 };
/** The game's own largest tree has less than 5 MB. */
const MAX_TREE_BYTES = 64 * 1024 ** 2;
const MAX_NAME_BYTES = 1_024;
const CHUNK_BYTES = 64 * 1024;
const ENTRY_BYTES = 18;
const ENTRY_END = 0xffff;
/** The archive index of contents that are in the same file; any other is a sibling `…_<index>.vpk`. */
const SAME_FILE = 0x7fff;

/**
 * Why the game could not read a VPK: one that it cannot parse sends srcds into an endless crash loop. Null when it is
 * well-formed: signature, version, a directory tree that parses within its bounds, contents within the file (those in
 * siblings of a `_dir.vpk` are not looked for). Reads the tree alone, a piece at a time, whatever size it claims. Throws `Interrupted`.
 * @param vpk a path, which is not followed when it is a link, or an open file, which stays open
 */
export async function vpkProblem(vpk: string | FileHandle, signal?: AbortSignal): Promise<string | null> {
  if (typeof vpk !== 'string') return problemOf(vpk, signal);
  let file: FileHandle;
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    file = await open(vpk, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ELOOP')) return 'it is a link';
    throw error;
  }
  try {
    return await problemOf(file, signal);
  } finally {
    await file.close();
  }
}

/** What is wrong with a VPK, on its way out of the parser. */
class Malformed extends Error {}

async function problemOf(file: FileHandle, signal?: AbortSignal): Promise<string | null> {
  const stats = await file.stat();
  if (!stats.isFile()) return 'it is not a file';
  try {
    const { treeStart, treeEnd } = await header(file, stats.size);
    await parseTree(new TreeReader(file, treeStart, treeEnd, signal), stats.size - treeEnd);
    return null;
  } catch (error) {
    if (error instanceof Malformed) return error.message;
    throw error;
  }
}

async function header(file: FileHandle, size: number): Promise<{ treeStart: number; treeEnd: number }> {
  const bytes = Buffer.alloc(12);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  if (bytesRead < bytes.length || bytes.readUInt32LE(0) !== SIGNATURE) {
    throw new Malformed('it does not begin like a VPK (34 12 aa 55)');
  }
  const version = bytes.readUInt32LE(4);
  const treeStart = HEADER_BYTES[version];
  if (treeStart === undefined) throw new Malformed(`it has version ${version}, the game reads 1 and 2`);
  const treeBytes = bytes.readUInt32LE(8);
  if (treeStart + treeBytes > size) throw new Malformed('its directory tree is longer than the file');
  if (treeBytes > MAX_TREE_BYTES) throw new Malformed(`its directory tree is longer than ${MAX_TREE_BYTES} bytes`);
  return { treeStart, treeEnd: treeStart + treeBytes };
}

async function parseTree(tree: TreeReader, contentBytes: number): Promise<void> {
  for (;;) {
    const extension = await tree.name();
    if (extension === '') return;
    for (;;) {
      const folder = await tree.name();
      if (folder === '') break;
      for (;;) {
        const name = await tree.name();
        if (name === '') break;
        const problem = await entryProblem(tree, contentBytes);
        if (problem !== null) throw new Malformed(`${JSON.stringify(`${folder}/${name}.${extension}`)} ${problem}`);
      }
    }
  }
}

async function entryProblem(tree: TreeReader, contentBytes: number): Promise<string | null> {
  const entry = await tree.take(ENTRY_BYTES);
  const preloadBytes = entry.readUInt16LE(4);
  const archive = entry.readUInt16LE(6);
  const end = entry.readUInt32LE(8) + entry.readUInt32LE(12);
  if (entry.readUInt16LE(16) !== ENTRY_END) return 'has a damaged entry in the directory tree';
  if (archive === SAME_FILE && end > contentBytes) return 'lies beyond the end of the file';
  tree.skip(preloadBytes);
  return null;
}

/** Reads the bytes from `position` up to `end` in order, a chunk at a time. */
class TreeReader {
  private chunk: Buffer = Buffer.alloc(0);

  constructor(
    private readonly file: FileHandle,
    /** Of the first byte that is not in the chunk. */
    private position: number,
    private readonly end: number,
    private readonly signal?: AbortSignal,
  ) {}

  /** The text up to the next NUL, which is taken too. */
  async name(): Promise<string> {
    let length = this.chunk.indexOf(0);
    while (length < 0) {
      if (this.chunk.length > MAX_NAME_BYTES) break;
      await this.more();
      length = this.chunk.indexOf(0);
    }
    if (length < 0 || length > MAX_NAME_BYTES) throw new Malformed('a name in its directory tree is too long');
    const name = this.chunk.toString('utf8', 0, length);
    this.chunk = this.chunk.subarray(length + 1);
    return name;
  }

  async take(length: number): Promise<Buffer> {
    while (this.chunk.length < length) await this.more();
    const taken = this.chunk.subarray(0, length);
    this.chunk = this.chunk.subarray(length);
    return taken;
  }

  skip(length: number): void {
    const beyond = length - this.chunk.length;
    this.chunk = this.chunk.subarray(length);
    if (beyond > 0) this.position += beyond;
    if (this.position > this.end) throw cutOff();
  }

  private async more(): Promise<void> {
    if (this.signal?.aborted === true) throw new Interrupted('looking at a VPK');
    const wanted = Math.min(CHUNK_BYTES, this.end - this.position);
    if (wanted <= 0) throw cutOff();
    const piece = Buffer.allocUnsafe(wanted);
    const { bytesRead } = await this.file.read(piece, 0, wanted, this.position);
    if (bytesRead === 0) throw cutOff();
    this.position += bytesRead;
    this.chunk = Buffer.concat([this.chunk, piece.subarray(0, bytesRead)]);
  }
}

function cutOff(): Malformed {
  return new Malformed('its directory tree is cut off');
}
