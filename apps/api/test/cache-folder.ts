import { mkdir } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the tests keep programs that the machine lacks (Redis, Chromium), from one run to the next. */
export async function cacheFolder(): Promise<string> {
  const base = process.env.XDG_CACHE_HOME || join(process.env.HOME || homedir(), '.cache');
  const folder = join(base, 'left4me');
  try {
    await mkdir(folder, { recursive: true });
    return folder;
  } catch {
    // No home, or one that cannot be written, as in some CI machines.
    const fallback = join(tmpdir(), `left4me-cache-${process.getuid?.() ?? 0}`);
    await mkdir(fallback, { recursive: true, mode: 0o700 });
    return fallback;
  }
}
