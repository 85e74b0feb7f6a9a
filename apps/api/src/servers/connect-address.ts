import { networkInterfaces } from 'node:os';

/**
 * Where players find the servers of this machine: the host part of the public URL, or the machine's first address that is not its own
 * loopback, or 127.0.0.1.
 */
export function connectHost(publicUrl: string | null, interfaces = networkInterfaces()): string {
  if (publicUrl !== null) return new URL(publicUrl).hostname;
  const addresses = Object.values(interfaces).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
