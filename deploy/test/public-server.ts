import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Of the public internet, by its number; for as long as a test takes, this machine answers in its place. */
const ADDRESS = '93.184.215.14';

/** A web server that the booted machine finds at a public address. */
export class PublicServer {
  readonly address = ADDRESS;
  /** Who has asked. */
  readonly askedFrom: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly card: string,
  ) {
    server.on('request', ({ socket }) => this.askedFrom.push(socket.remoteAddress ?? ''));
  }

  static async listen(answer: string): Promise<PublicServer> {
    const server = createServer((_, response) => response.end(answer));
    // The machine's card on this side: what is on it goes with the machine.
    const card = `ve-${process.env['MACHINE_NAME'] ?? ''}`;
    await run('ip', ['address', 'replace', `${ADDRESS}/32`, 'dev', card]);
    server.listen(80, ADDRESS);
    await once(server, 'listening');
    return new PublicServer(server, card);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await run('ip', ['address', 'del', `${ADDRESS}/32`, 'dev', this.card]);
  }
}
