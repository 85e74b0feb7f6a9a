import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

/*
 * What players' programs and admins' tools speak with a server, written down from its description and not with the panel's own client
 * or the demo server's code, so that a mistake they share is seen.
 */

/** What A2S_INFO says (https://developer.valvesoftware.com/wiki/Server_queries#A2S_INFO). */
export interface Info {
  name: string;
  map: string;
  game: string;
  players: number;
  maxPlayers: number;
}

const REQUEST = Buffer.concat([
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0x54]),
  Buffer.from('Source Engine Query\0', 'latin1'),
]);

/** A question over UDP may get lost, or come while the machine is busy: it is asked again after this. */
const ASK_AGAIN_MS = 500;

/** Asks a server on this machine who it is. @returns null when it does not answer within the time */
export async function askInfo(port: number, milliseconds = 15_000): Promise<Info | null> {
  const socket = createSocket('udp4');
  const again = setInterval(() => socket.send(REQUEST, port, '127.0.0.1'), ASK_AGAIN_MS);
  try {
    return await new Promise<Info | null>((resolve, reject) => {
      const timer = setTimeout(() => resolve(null), milliseconds);
      socket.once('close', () => clearTimeout(timer));
      // Nobody listens there: that is no answer either.
      socket.once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNREFUSED' ? resolve(null) : reject(error),
      );
      socket.on('message', (answer) => {
        if (answer[4] === 0x41) socket.send(Buffer.concat([REQUEST, answer.subarray(5, 9)]), port, '127.0.0.1');
        else if (answer[4] === 0x49) resolve(parseInfo(answer));
        else reject(new Error(`not an answer to A2S_INFO: ${answer.toString('hex')}`));
      });
      socket.send(REQUEST, port, '127.0.0.1');
    });
  } finally {
    clearInterval(again);
    socket.close();
  }
}

function parseInfo(answer: Buffer): Info {
  // Behind four bytes 0xff, the type and the protocol's version come four texts, each with a NUL behind it.
  const texts: string[] = [];
  let at = 6;
  while (texts.length < 4) {
    const end = answer.indexOf(0, at);
    texts.push(answer.toString('utf8', at, end));
    at = end + 1;
  }
  const [name = '', map = '', , game = ''] = texts;
  // The application's id, two bytes, is in between.
  return { name, map, game, players: answer.readUInt8(at + 2), maxPlayers: answer.readUInt8(at + 3) };
}

/**
 * Runs a console command (https://developer.valvesoftware.com/wiki/Source_RCON_Protocol).
 * @returns the first part of its answer; '' when the server closed the connection instead, as one that ends does
 */
export async function rcon(port: number, password: string, command: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.setTimeout(20_000, () => socket.destroy(new Error('no answer over RCON')));
  let received = Buffer.alloc(0);
  try {
    socket.write(packet(1, 3, password));
    for await (const chunk of socket) {
      if (Buffer.isBuffer(chunk)) received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= received.readInt32LE(0) + 4) {
        const size = received.readInt32LE(0);
        const [id, type, body] = [
          received.readInt32LE(4),
          received.readInt32LE(8),
          received.toString('utf8', 12, size + 2),
        ];
        received = received.subarray(size + 4);
        if (type === 2 && id === -1) throw new Error('wrong RCON password');
        if (type === 2) socket.write(packet(2, 2, command));
        if (type === 0 && id === 2) return body;
      }
    }
    return '';
  } finally {
    socket.destroy();
  }
}

function packet(id: number, type: number, body: string): Buffer {
  const bytes = Buffer.alloc(14 + Buffer.byteLength(body));
  bytes.writeInt32LE(bytes.length - 4, 0);
  bytes.writeInt32LE(id, 4);
  bytes.writeInt32LE(type, 8);
  bytes.write(body, 12);
  return bytes;
}
