import { createServer, request, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';

/**
 * An HTTP proxy for a test's machine, which has no way out of its own: apt and npm ask this process, and this process asks whomever
 * it reaches by itself. Plain requests are forwarded, CONNECT is a tunnel.
 */
export class ForwardProxy {
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async listen(address: string, port: number): Promise<ForwardProxy> {
    const server = createServer((incoming, outgoing) => {
      const onward = request(incoming.url ?? '', { method: incoming.method, headers: incoming.headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', (error) =>
        outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end(String(error)),
      );
      incoming.pipe(onward);
    });
    const proxy = new ForwardProxy(server);
    server.on('connection', (socket) => proxy.hold(socket));
    server.on('connect', (asked, near: Socket) => {
      const { hostname, port: far } = new URL(`http://${asked.url}`);
      const tunnel = connect(Number(far) || 443, hostname, () => {
        near.write('HTTP/1.1 200 Connection established\r\n\r\n');
        tunnel.pipe(near);
        near.pipe(tunnel);
      });
      proxy.hold(tunnel);
      tunnel.on('close', () => near.destroy());
      near.on('close', () => tunnel.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, resolve);
    });
    return proxy;
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    return closed;
  }

  private hold(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.sockets.delete(socket));
  }
}
