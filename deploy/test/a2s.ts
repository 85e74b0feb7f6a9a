import { createSocket } from 'node:dgram';

const HEADER = Buffer.from([0xff, 0xff, 0xff, 0xff]);
const QUESTION = Buffer.concat([HEADER, Buffer.from('TSource Engine Query\0', 'latin1')]);
const CHALLENGE = 0x41;
const INFO = 0x49;

/**
 * Asks a game server for its name and map, as a server browser does. Written from the protocol's description
 * (https://developer.valvesoftware.com/wiki/Server_queries) and independent of the product's own client.
 * @returns null when there is no answer in time
 */
export function askInfo(
  address: string,
  port: number,
  timeoutMs = 1000,
): Promise<{ name: string; map: string } | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const finish = (answer: { name: string; map: string } | null) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(null), timeoutMs);
    socket.on('error', () => finish(null));
    socket.on('message', (message) => {
      if (!message.subarray(0, 4).equals(HEADER)) return;
      if (message[4] === CHALLENGE) socket.send(Buffer.concat([QUESTION, message.subarray(5, 9)]), port, address);
      else if (message[4] === INFO) finish(parse(message.subarray(6)));
    });
    socket.send(QUESTION, port, address);
  });
}

function parse(rest: Buffer): { name: string; map: string } {
  const [name = '', map = ''] = rest.toString('utf8').split('\0');
  return { name, map };
}
