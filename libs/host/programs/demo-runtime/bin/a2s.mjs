import { createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';

/** Source server queries, https://developer.valvesoftware.com/wiki/Server_queries */
const HEADER = Buffer.from([0xff, 0xff, 0xff, 0xff]);
const INFO = 0x54;
const PLAYER = 0x55;
const RULES = 0x56;
const CHALLENGE = 0x41;
const INFO_TEXT = Buffer.from('Source Engine Query\0');
const APP_ID = 550;
/** Larger answers are split; a client joins them. */
const MAX_PACKET = 1_248;

const text = (value) => Buffer.from(`${value}\0`, 'utf8');
const byte = (value) => Buffer.from([value & 0xff]);
const short = (value) => {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
};

function info(server) {
  const keywords = `${server.get('mp_gamemode')},demo`;
  return Buffer.concat([
    Buffer.from([0x49, 17]),
    text(server.get('hostname')),
    text(server.map),
    text('left4dead2'),
    text('Left 4 Dead 2'),
    short(APP_ID),
    byte(server.players.length),
    byte(server.maxPlayers),
    byte(0),
    Buffer.from('dl'),
    byte(server.get('sv_password') === '' ? 0 : 1),
    byte(server.get('sv_lan') === '1' ? 0 : 1),
    text('2.2.4.3'),
    byte(0x80 | 0x20),
    short(server.port),
    text(keywords),
  ]);
}

function players(server) {
  const rows = server.players.map((player, i) => {
    const numbers = Buffer.alloc(8);
    numbers.writeInt32LE(player.score, 0);
    numbers.writeFloatLE((Date.now() - player.since) / 1000, 4);
    return Buffer.concat([byte(i), text(player.name), numbers]);
  });
  return Buffer.concat([byte(0x44), byte(rows.length), ...rows]);
}

function rules(server) {
  const list = server.rules();
  return Buffer.concat([byte(0x45), short(list.length), ...list.flatMap(([name, value]) => [text(name), text(value)])]);
}

/** One datagram, or several with header -2, an id, the count, the number and the size. */
function packets(body) {
  const whole = Buffer.concat([HEADER, body]);
  if (whole.length <= MAX_PACKET) return [whole];
  const id = randomBytes(4);
  id[3] &= 0x7f; // the highest bit would mean that it is compressed
  const parts = [];
  for (let at = 0; at < whole.length; at += MAX_PACKET) parts.push(whole.subarray(at, at + MAX_PACKET));
  return parts.map((part, i) =>
    Buffer.concat([Buffer.from([0xfe, 0xff, 0xff, 0xff]), id, byte(parts.length), byte(i), short(MAX_PACKET), part]),
  );
}

/** Answers until the process ends. Rejects when the port is taken. */
export async function answerQueries(server, address, port) {
  const socket = createSocket('udp4');
  const secret = randomBytes(16);
  // A challenge proves that the asker gets packets sent to its address; nothing has to be remembered.
  const challengeFor = (peer) =>
    createHmac('sha256', secret).update(`${peer.address}:${peer.port}`).digest().subarray(0, 4);

  socket.on('message', (message, peer) => {
    if (message.length < 5 || !message.subarray(0, 4).equals(HEADER)) return;
    const kind = message[4];
    const isInfo = kind === INFO && message.subarray(5, 5 + INFO_TEXT.length).equals(INFO_TEXT);
    if (!isInfo && kind !== PLAYER && kind !== RULES) return;
    const given = isInfo ? message.subarray(5 + INFO_TEXT.length) : message.subarray(5);
    const challenge = challengeFor(peer);
    const body = !given.subarray(0, 4).equals(challenge)
      ? Buffer.concat([byte(CHALLENGE), challenge])
      : isInfo
        ? info(server)
        : kind === PLAYER
          ? players(server)
          : rules(server);
    for (const packet of packets(body)) socket.send(packet, peer.port, peer.address);
  });
  await new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, resolve);
  });
  socket.on('error', () => undefined);
}
