import { connect, type Socket } from 'node:net';
import { HostError } from '../errors.js';
import { PacketReader, RCON, encodePacket, type RconPacket } from './packet.js';

export interface RconTarget {
  host: string;
  port: number;
  password: string;
}

const AUTH_ID = 1;
const COMMAND_ID = 2;
const END_MARK_ID = 3;

/** The server did not take the password (or bans this address), could not be reached, or did not answer in time. */
export class RconFailed extends HostError {
  constructor(message: string, options?: ErrorOptions) {
    super('rcon-failed', message, options);
  }
}

/**
 * Sends one console command and returns its whole answer. A server that closes the connection instead of answering (as
 * after `quit`) gives ''. Throws `RconFailed`.
 */
export async function rconCommand(target: RconTarget, command: string, timeLimitMs = 3_000): Promise<string> {
  const socket = connect({ host: target.host, port: target.port });
  try {
    return await withLimit(socket, exchange(socket, target.password, command), timeLimitMs);
  } catch (error) {
    if (error instanceof RconFailed) throw error;
    throw new RconFailed(error instanceof Error ? error.message : String(error), { cause: error });
  } finally {
    socket.destroy();
  }
}

async function withLimit<T>(socket: Socket, work: Promise<T>, timeLimitMs: number): Promise<T> {
  const timer = setTimeout(() => socket.destroy(new RconFailed('no answer in time')), timeLimitMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

async function exchange(socket: Socket, password: string, command: string): Promise<string> {
  const reader = new PacketReader();
  let authenticated = false;
  let answer = '';
  socket.write(encodePacket({ id: AUTH_ID, type: RCON.auth, body: password }));
  for await (const chunk of socket) {
    if (!Buffer.isBuffer(chunk)) continue;
    for (const packet of reader.push(chunk)) {
      if (!authenticated) {
        // An empty response comes first; only the second packet says whether the password was right.
        if (packet.type !== RCON.authResponse) continue;
        if (packet.id === -1) throw new RconFailed('the server refused the RCON password');
        authenticated = true;
        // A long answer comes in parts without an end: the answer to an empty packet behind it marks it.
        socket.write(encodePacket({ id: COMMAND_ID, type: RCON.command, body: command }));
        socket.write(encodePacket({ id: END_MARK_ID, type: RCON.response, body: '' }));
      } else if (isEnd(packet)) {
        return answer;
      } else if (packet.id === COMMAND_ID) {
        answer += packet.body;
      }
    }
  }
  if (!authenticated) throw new RconFailed('the server closed the connection');
  return answer;
}

function isEnd(packet: RconPacket): boolean {
  return packet.id === END_MARK_ID;
}

/** The password that a server.cfg sets: its last `rcon_password`. Null when it sets none. */
export function rconPasswordOf(serverCfg: string): string | null {
  let password: string | null = null;
  for (const line of serverCfg.split('\n')) {
    const match = /^\s*"?rcon_password"?\s+(?:"([^"]*)"|([^\s"]+))/.exec(line);
    if (match !== null) password = match[1] ?? match[2] ?? null;
  }
  return password === '' ? null : password;
}
