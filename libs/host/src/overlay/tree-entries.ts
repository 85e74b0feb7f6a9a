import type { BigIntStats, Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { PathRefused } from '../errors.js';
import { hasCode } from './durable.js';
import type { TreeEntry } from './file-tree.js';

export async function lstatIfAny(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** What went, or became something else, since its folder was listed: a draft is edited while it is read. */
export function ifSwapped(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ELOOP') || error instanceof PathRefused) return null;
  throw error;
}

export function entryOf(name: string, path: string, stats: Stats): TreeEntry | null {
  const modifiedAt = stats.mtime.toISOString();
  if (stats.isDirectory()) return { name, path, type: 'directory', size: 0, modifiedAt };
  if (stats.isFile()) return { name, path, type: 'file', size: stats.size, modifiedAt };
  if (stats.isSymbolicLink()) return { name, path, type: 'link', size: stats.size, modifiedAt };
  return null;
}

export function foldersFirst(a: TreeEntry, b: TreeEntry): number {
  const byType = Number(b.type === 'directory') - Number(a.type === 'directory');
  return byType !== 0 ? byType : a.name < b.name ? -1 : 1;
}

/** Differs whenever a file's content may differ: RFC 9110, strong. The change time cannot be set by anybody. */
export function etagOf(stats: BigIntStats): string {
  return `"${[stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].map((value) => value.toString(36)).join('-')}"`;
}

export function sizeAndTime(stats: BigIntStats): Pick<TreeEntry, 'size' | 'modifiedAt'> {
  return { size: Number(stats.size), modifiedAt: stats.mtime.toISOString() };
}

/** As `lstatIfAny`, with times in nanoseconds. */
export async function statIfAny(path: string): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}
