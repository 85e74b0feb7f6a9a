import { readFile } from 'node:fs/promises';

const LISTENING = '0A';

/**
 * Ports that programs of this machine listen on or are bound to, for UDP and TCP, as /proc/net tells (proc(5)). Other programs use ports
 * too, so a server is not given one of these by itself.
 */
export async function portsInUse(): Promise<number[]> {
  const tables = ['udp', 'udp6', 'tcp', 'tcp6'] as const;
  const found = await Promise.all(
    tables.map(async (table) => boundPorts(await read(`/proc/net/${table}`), table.startsWith('tcp'))),
  );
  return found.flat();
}

/** @param table the text of /proc/net/udp or /proc/net/tcp */
export function boundPorts(table: string, isTcp: boolean): number[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', state] = /^\s*\d+:\s*(\S+)\s+\S+\s+(\S+)/.exec(line) ?? [];
      const port = Number.parseInt(local.split(':')[1] ?? '', 16);
      return Number.isNaN(port) || (isTcp && state !== LISTENING) ? [] : [port];
    });
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    // No IPv6 on this machine.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
