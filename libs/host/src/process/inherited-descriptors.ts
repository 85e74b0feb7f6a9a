import { closeSync, readFileSync, readdirSync, fstatSync, statSync } from 'node:fs';

const O_CLOEXEC = 0o2_000_000;

/**
 * Closes the file descriptors that this process was given by its parent, except `keep` and those of `keptFile`, of which there must be one. Node's own are close-on-exec; any
 * other would be passed on to every child, and a game server must not hold what the panel's shell had open.
 */
export function closeInheritedDescriptors(keep: readonly number[], keptFile: string): void {
  const kept = statSync(keptFile);
  let found = false;
  for (const name of readdirSync('/proc/self/fd')) {
    const descriptor = Number(name);
    if (keep.includes(descriptor)) continue;
    try {
      const { dev, ino } = fstatSync(descriptor);
      if (dev === kept.dev && ino === kept.ino) {
        found = true;
        continue;
      }
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0) closeSync(descriptor);
    } catch (error) {
      // The one that listed the folder is closed by now.
      if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EBADF')))
        throw error;
    }
  }
  if (!found) throw new Error(`no descriptor of ${keptFile} was inherited`);
}
