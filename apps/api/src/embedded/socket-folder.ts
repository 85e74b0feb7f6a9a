import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedError } from './embedded-error.js';
import type { OrdinaryUser } from './ordinary-user.js';

/** sockaddr_un.sun_path has 108 bytes, the last one NUL (unix(7)). */
const LONGEST_SOCKET_PATH = 107;
const LONGEST_SOCKET_NAME = '.s.PGSQL.5432';

export interface SocketFolder {
  path: string;
  /** Removes the folder if it was made outside the state folder. */
  remove: () => Promise<void>;
}

/**
 * A folder only we may enter, for the services' sockets: `<root>/run`, or one named after the root in the temporary folder
 * where that path would be too long for a socket. It belongs to whoever PostgreSQL runs as; root may enter it anyway.
 */
export async function socketFolder(root: string, user: OrdinaryUser): Promise<SocketFolder> {
  const run = join(root, 'run');
  if (fits(run)) {
    await makePrivate(run, user);
    return { path: run, remove: async () => undefined };
  }
  const hash = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const short = join(tmpdir(), `left4me-${process.getuid?.() ?? 0}-${hash}`);
  if (!fits(short)) {
    throw new EmbeddedError(`Neither ${root} nor ${tmpdir()} is short enough for a socket; set TMPDIR=/tmp.`);
  }
  await makePrivate(short, user);
  return { path: short, remove: () => rm(short, { recursive: true, force: true }) };
}

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, LONGEST_SOCKET_NAME)) <= LONGEST_SOCKET_PATH;
}

async function makePrivate(folder: string, { owner }: OrdinaryUser): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The temporary folder is everybody's: somebody else may have been there first, with a folder or a link of theirs.
  const found = await lstat(folder);
  const ours = found.uid === process.getuid?.() || found.uid === owner?.uid;
  if (!found.isDirectory() || !ours || (found.mode & 0o077) !== 0) {
    throw new EmbeddedError(
      `${folder} must be a folder that only the user running left4me may enter; please remove it.`,
    );
  }
  if (owner) await chown(folder, owner.uid, owner.gid);
}
