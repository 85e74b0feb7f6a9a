import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';

/** The network as the proxy of scripts uses it; tests put a small internet in its place. */
export interface Network {
  /** All addresses of a name. Throws when there are none. */
  resolve: (name: string) => Promise<string[]>;
  /** A connection to exactly this address, being made. */
  connect: (address: string, port: number) => Socket;
  /** This machine's addresses at this moment, each with its network's prefix length: `192.0.2.7/24`. */
  own: () => string[];
}

export const NETWORK: Network = {
  resolve: async (name) => (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address),
  connect: (address, port) => connect({ host: address, port }),
  own: () =>
    Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .map(({ cidr }) => cidr)
      .filter((cidr) => cidr !== null),
};
