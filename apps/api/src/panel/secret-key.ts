import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';

/** The key that passwords of servers are encrypted with, kept beside the data it belongs to where no SECRET_KEY is given. */
export async function secretKeyIn(root: string): Promise<string> {
  const file = path.join(root, 'secret-key');
  const known = await readIfThere(file);
  if (known) return known;
  const key = randomBytes(32).toString('base64url');
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(`${key}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  return key;
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
