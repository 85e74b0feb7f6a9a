import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Makes overlayfs hide whatever the layers below have under this path: a character device 0/0 (Linux,
 * Documentation/filesystems/overlayfs.rst), which the kernel lets ordinary users make since 5.8. Node has no mknod.
 */
export async function makeWhiteout(path: string): Promise<void> {
  await run('mknod', ['--', path, 'c', '0', '0'], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }, timeout: 10_000 });
}
