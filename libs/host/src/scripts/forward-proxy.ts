import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type Server, type ServerResponse } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { type Duplex, pipeline as join } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Network } from './network.js';
import { PublicAddresses } from './public-address.js';

const PORTS = [80, 443];
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_MS = 15_000;
const CONNECT_MS = 15_000;
const IDLE_MS = 120_000;
/** Sentences that are told; a script that tries all addresses must not fill its job's log with them. */
const MAX_TOLD = 50;
/** Of one connection, not of the message (RFC 9110, 7.6.1). */
const HOP_HEADERS = ['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'trailer', 'upgrade'];

/** A destination that scripts do not reach; the message is for the script's author. */
class Refused extends Error {}

/** A destination that does not answer now; likewise. */
class Unreached extends Error {}

export interface ProxyOptions {
  network: Network;
  /** Names and addresses that are refused besides: those by which others reach this machine. */
  refuse: readonly string[];
  /** Told about each destination that was refused or does not answer: curl and git do not show a proxy's words. */
  onFailed: (sentence: string) => void;
}

/**
 * A script's only way out: an HTTP proxy (CONNECT, and requests in absolute form; RFC 9110, RFC 9112) on a Unix socket. It resolves
 * names itself and connects to the very address it has judged.
 */
export class ForwardProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Duplex>();
  private told = 0;

  private constructor(
    private readonly options: ProxyOptions,
    private readonly refused: readonly string[],
  ) {
    this.server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_MS, requestTimeout: 0 });
    this.server.maxConnections = MAX_CONNECTIONS;
    this.server.setTimeout(IDLE_MS);
    this.server.on('connection', (socket) => this.keep(socket));
    this.server.on('connect', (request, client, head) => void this.tunnel(request, client, head));
    this.server.on('request', (request, response) => void this.pass(request, response));
  }

  /** @param path of the socket; 107 bytes at most (unix(7)) */
  static async listen(path: string, options: ProxyOptions): Promise<ForwardProxy> {
    const names = await Promise.all(options.refuse.map((name) => addressesOf(name, options.network)));
    const proxy = new ForwardProxy(options, names.flat());
    proxy.server.listen(path);
    await once(proxy.server, 'listening');
    return proxy;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private async tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => undefined); // the script went away; `join` below ends the other side
    try {
      const remote = await this.open(`http://${request.url ?? ''}`);
      if (client.destroyed) return void remote.destroy();
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) remote.write(head);
      join(client, remote, client, () => {
        client.destroy();
        remote.destroy();
      });
    } catch (error) {
      const { status, text } = this.answerTo(error);
      const headers = `Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close`;
      client.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${text}`);
    }
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const target = request.url ?? '';
      if (!target.startsWith('http://')) throw new Refused('this is a proxy: it takes CONNECT and http:// addresses');
      const remote = await this.open(target);
      const url = new URL(target);
      const headers = { ...withoutHops(request.headers), host: url.host, connection: 'close' };
      const path = `${url.pathname}${url.search}`;
      const onward = send({ method: request.method, path, headers, createConnection: () => remote });
      response.once('close', () => remote.destroy());
      const answered = new Promise<IncomingMessage>((resolve, reject) => {
        onward.once('response', resolve).once('error', reject);
      });
      const [answer] = await Promise.all([answered, pipeline(request, onward)]);
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, withoutHops(answer.headers));
      await pipeline(answer, response);
    } catch (error) {
      const { status, text } = this.answerTo(error);
      if (response.headersSent) return void response.destroy();
      response.writeHead(Number(status.slice(0, 3)), { 'Content-Type': 'text/plain', Connection: 'close' }).end(text);
    }
  }

  /** A connection to where the URL leads. Throws `Refused`. */
  private async open(target: string): Promise<Socket> {
    if (!URL.canParse(target)) throw new Refused(`${target} is no address`);
    const { hostname, port } = new URL(target);
    const name = hostname.replace(/^\[(.*)\]$/, '$1');
    const number = port === '' ? 80 : Number(port);
    if (!PORTS.includes(number))
      throw new Refused(`port ${number} of ${name} is not reached from scripts: 80 and 443 are`);
    const addresses = await this.addressesFor(name);
    const allowed = new PublicAddresses([...this.options.network.own(), ...this.refused]);
    let problem = 'which has no address';
    let failure: Unreached | null = null;
    for (const address of addresses) {
      const found = allowed.problem(address);
      if (found === null) {
        try {
          return this.keep(await connected(this.options.network.connect(address, number)));
        } catch (error) {
          failure = new Unreached(`${name} does not answer: ${String(error)}`, { cause: error }); // another address may answer: many machines have no IPv6
        }
      } else {
        problem = address === name ? `which is ${found}` : `which is ${address}, ${found}`;
      }
    }
    if (failure !== null) throw failure;
    throw new Refused(`scripts reach the public internet only, not ${name}, ${problem}`);
  }

  private async addressesFor(name: string): Promise<string[]> {
    if (isIP(name) !== 0) return [name];
    try {
      return await this.options.network.resolve(name);
    } catch (error) {
      throw new Unreached(`${name} is not found: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  private answerTo(error: unknown): { status: string; text: string } {
    const message = error instanceof Error ? error.message : String(error);
    const text = `left4me's proxy: ${message}\n`;
    if (error instanceof Refused) this.tell(`refused: ${message}`);
    if (error instanceof Unreached) this.tell(`not reached: ${message}`);
    return { status: error instanceof Refused ? '403 Forbidden' : '502 Bad Gateway', text };
  }

  private tell(sentence: string): void {
    if (this.told++ < MAX_TOLD) this.options.onFailed(sentence);
  }

  private keep<T extends Socket>(socket: T): T {
    this.sockets.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', () => undefined); // whoever reads or writes it is told as well
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  }
}

async function connected(socket: Socket): Promise<Socket> {
  const late = setTimeout(() => socket.destroy(new Error('no connection within 15 s')), CONNECT_MS);
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** Of a machine that cannot be resolved now, nothing is known; it is refused as far as its network's addresses are. */
async function addressesOf(name: string, network: Network): Promise<string[]> {
  const addresses = isIP(name) === 0 ? await network.lookUp(name).catch(() => []) : [name];
  return addresses.map((address) => `${address}/${isIP(address) === 6 ? 128 : 32}`);
}

function withoutHops(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_HEADERS.includes(name)));
}
