import { lookup, Resolver } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';

/** The network as the proxy of scripts uses it; tests put a small internet in its place. */
export interface Network {
  /** As this machine resolves names, with its hosts file. For the operator's own ones. */
  lookUp: (name: string) => Promise<string[]>;
  /** All addresses of a script's name. Throws when there are none. */
  resolve: (name: string) => Promise<string[]>;
  /** A connection to exactly this address, being made. */
  connect: (address: string, port: number) => Socket;
  /** This machine's addresses at this moment, each with its network's prefix length: `192.0.2.7/24`. */
  own: () => string[];
}

const RESOLVE_MS = 10_000;

export const NETWORK: Network = {
  lookUp: async (name) => (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address),
  resolve: (name) => resolveName(name),
  connect: (address, port) => connect({ host: address, port }),
  own: () =>
    Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .map(({ cidr }) => cidr)
      .filter((cidr) => cidr !== null),
};

/**
 * Asks the name servers themselves. `lookup` would take one of the two threads that resolve names for the whole worker, for as long as
 * a script's name server keeps it waiting.
 * @param servers instead of the machine's
 */
export async function resolveName(name: string, limitMs = RESOLVE_MS, servers?: readonly string[]): Promise<string[]> {
  const resolver = new Resolver();
  if (servers) resolver.setServers(servers);
  const late = setTimeout(() => resolver.cancel(), limitMs);
  try {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const failed = answers.find((answer) => answer.status === 'rejected');
    if (addresses.length === 0 && failed) throw failed.reason;
    return addresses;
  } finally {
    clearTimeout(late);
  }
}
