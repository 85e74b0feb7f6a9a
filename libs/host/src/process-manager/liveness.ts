import { readFile, stat } from 'node:fs/promises';
import { hasCode } from '../overlay/durable.js';

/** The locks held on this machine, from one read of /proc/locks (see proc(5)). */
export class HeldLocks {
  private constructor(private readonly held: ReadonlyMap<string, { device: string; pid: number }[]>) {}

  static async read(): Promise<HeldLocks> {
    return HeldLocks.parse(await readFile('/proc/locks', 'utf8'));
  }

  /** Lines like `1: FLOCK  ADVISORY  WRITE 1234 fe:00:131074 0 EOF`; waiting ones have `->`. */
  static parse(text: string): HeldLocks {
    const held = new Map<string, { device: string; pid: number }[]>();
    for (const line of text.split('\n')) {
      const match = /^\d+: FLOCK\s+\S+\s+WRITE (-?\d+) ([0-9a-f]+:[0-9a-f]+):(\d+) /.exec(line);
      if (match === null) continue;
      const [, pid, device = '', inode = ''] = match;
      held.set(inode, [...(held.get(inode) ?? []), { device, pid: Number(pid) }]);
    }
    return new HeldLocks(held);
  }

  /**
   * Whether the file's lock is held. On some filesystems (btrfs) stat tells another device number than /proc/locks; then
   * the holder's process number, which a supervisor records, decides.
   */
  async isHeld(path: string, supervisorPid: number | null): Promise<boolean> {
    let file: { dev: bigint; ino: bigint };
    try {
      file = await stat(path, { bigint: true });
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    }
    const device = deviceNumber(file.dev);
    const holders = this.held.get(String(file.ino)) ?? [];
    return holders.some((holder) => holder.device === device || holder.pid === supervisorPid);
  }
}

/** As /proc/locks writes it; glibc packs major and minor into 64 bits (see gnu_dev_major in sys/sysmacros.h). */
function deviceNumber(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return [major, minor].map((part) => part.toString(16).padStart(2, '0')).join(':');
}
