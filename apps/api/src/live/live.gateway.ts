import { Server as HttpServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Principal } from '../auth/access.js';
import { Authentication } from '../auth/authentication.js';
import { LoginChanges } from '../auth/login-changes.js';
import { Origins } from '../auth/origins.js';
import { JobAccess } from '../jobs/job-access.js';
import { JobLog } from '../jobs/log/job-log.js';
import { ServerLogStream } from '../logs/server-log-stream.js';
import { NotLoggedIn } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import { Servers } from '../servers/servers.service.js';
import { LiveConnection, type LiveContext } from './live-connection.js';
import { LiveLists } from './live-lists.js';

const PATH = '/api/v1/ws';
const PING_MS = 15_000;
const AUTHENTICATE_AGAIN_MS = 30_000;
const AGAIN_MS = 1000;
/** Close code: not logged in (any more); connecting again does not help. */
const NOT_LOGGED_IN = 4401;
/** Close code: service restart, come back. */
const COME_BACK = 1012;

/** The WebSocket at /api/v1/ws: the same authorisation as REST, and pages of other origins are refused. */
@Injectable()
export class LiveGateway implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Live');
  private readonly context: LiveContext;
  private readonly server = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });
  /** How long a subscription waits when PostgreSQL or Redis failed it. */
  againMs = AGAIN_MS;

  constructor(
    private readonly adapter: HttpAdapterHost,
    private readonly authentication: Authentication,
    private readonly origins: Origins,
    private readonly changes: LoginChanges,
    announcements: Announcements,
    lists: LiveLists,
    jobLog: JobLog,
    jobAccess: JobAccess,
    servers: Servers,
    serverLogs: ServerLogStream,
  ) {
    this.context = { announcements, lists, jobLog, jobAccess, servers, serverLogs };
  }

  onApplicationBootstrap(): void {
    const http: unknown = this.adapter.httpAdapter.getHttpServer();
    if (!(http instanceof HttpServer)) throw new Error('The panel listens with something else than node:http.');
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.upgrade(request, socket, head).catch((error: unknown) => {
        this.logger.error(`an upgrade failed: ${String(error)}`);
        socket.destroy();
      });
    });
  }

  beforeApplicationShutdown(): void {
    for (const socket of this.server.clients) socket.close(COME_BACK);
    this.server.close();
  }

  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    // Cut by hand: what stands in a request line need not be an address that URL takes.
    if (request.url?.split('?', 1)[0] !== PATH) return refuse(socket, 404);
    const byToken = request.headers.authorization !== undefined;
    if (!byToken && !this.origins.allows(request.headers)) return refuse(socket, 403);
    try {
      const me = await this.authentication.authenticate(request.headers);
      if (!me.scopes.includes('read')) return refuse(socket, 403);
      this.accept(request, socket, head, (ws) => this.connected(ws, request, me));
    } catch (error) {
      if (!(error instanceof NotLoggedIn)) return refuse(socket, 500);
      // A browser learns the reason of a refused upgrade only as a close code, which needs the upgrade.
      this.accept(request, socket, head, (ws) => ws.close(NOT_LOGGED_IN, 'not logged in'));
    }
  }

  /** Upgrades. Without the listener, bytes that are no WebSocket frame would end the panel. */
  private accept(request: IncomingMessage, socket: Duplex, head: Buffer, opened: (ws: WebSocket) => void): void {
    this.server.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => ws.terminate());
      opened(ws);
    });
  }

  private connected(socket: WebSocket, request: IncomingMessage, me: Principal): void {
    const connection = new LiveConnection(this.context, socket, me, this.againMs);
    const ping = setInterval(() => connection.send({ type: 'ping' }), PING_MS);
    const check = () => {
      this.authentication.authenticate(request.headers).then(
        // What may be shown is decided by who connected: somebody else by now begins anew.
        (now) => {
          if (!sameRights(me, now)) socket.close(COME_BACK, 'your rights have changed');
        },
        (error: unknown) => {
          if (error instanceof NotLoggedIn) socket.close(NOT_LOGGED_IN, 'not logged in');
        },
      );
    };
    const again = setInterval(check, AUTHENTICATE_AGAIN_MS);
    const deaf = this.changes.on(me.user.id, check);
    socket.on('close', () => {
      clearInterval(ping);
      clearInterval(again);
      deaf();
    });
  }
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function sameRights(before: Principal, now: Principal): boolean {
  const rights = ({ user, admin, scopes, serverIds }: Principal) => JSON.stringify([user.id, admin, scopes, serverIds]);
  return rights(before) === rights(now);
}
