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
    const file = await this.lookAt(path);
    return file !== null && file.holders.some(({ device, pid }) => device === file.device || pid === supervisorPid);
  }

  /** The process that locked the file; null: none, or it is not among those this process sees. */
  async holder(path: string): Promise<number | null> {
    const file = await this.lookAt(path);
    return file?.holders.find(({ device, pid }) => device === file.device && pid > 0)?.pid ?? null;
  }

  private async lookAt(path: string): Promise<{ device: string; holders: { device: string; pid: number }[] } | null> {
    try {
      const { dev, ino } = await stat(path, { bigint: true });
      return { device: deviceNumber(dev), holders: this.held.get(String(ino)) ?? [] };
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      throw error;
    }
  }
}

/** As /proc/locks writes it; glibc packs major and minor into 64 bits (see gnu_dev_major in sys/sysmacros.h). */
function deviceNumber(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return [major, minor].map((part) => part.toString(16).padStart(2, '0')).join(':');
}
