import { timingSafeEqual, createHash } from 'node:crypto';
import { createServer } from 'node:net';

/** Source RCON, https://developer.valvesoftware.com/wiki/Source_RCON_Protocol */
const AUTH = 3;
const AUTH_RESPONSE = 2;
const COMMAND = 2;
const RESPONSE = 0;
const MAX_BODY = 4_086;
const MAX_CONNECTIONS = 32;

function packet(id, type, body) {
  const buffer = Buffer.alloc(14 + body.length);
  buffer.writeInt32LE(10 + body.length, 0);
  buffer.writeInt32LE(id, 4);
  buffer.writeInt32LE(type, 8);
  body.copy(buffer, 12);
  return buffer;
}

const hash = (value) => createHash('sha256').update(value).digest();

class Session {
  #held = Buffer.alloc(0);
  #authenticated = false;

  constructor(socket, server, bans) {
    this.socket = socket;
    this.server = server;
    this.bans = bans;
  }

  receive(chunk) {
    this.#held = Buffer.concat([this.#held, chunk]);
    while (this.#held.length >= 4) {
      const size = this.#held.readInt32LE(0);
      if (size < 10 || size > 8_192) return this.socket.destroy();
      if (this.#held.length < 4 + size) return;
      const id = this.#held.readInt32LE(4);
      const type = this.#held.readInt32LE(8);
      const body = this.#held.toString('utf8', 12, 4 + size - 2);
      this.#held = this.#held.subarray(4 + size);
      if (type === AUTH) this.#authenticate(id, body);
      else if (!this.#authenticated) return this.socket.destroy();
      else if (type === COMMAND) this.#command(id, body);
      else this.socket.write(packet(id, RESPONSE, Buffer.alloc(0))); // the end mark that clients use
    }
  }

  #authenticate(id, password) {
    const wanted = this.server.get('rcon_password');
    this.#authenticated = wanted !== '' && timingSafeEqual(hash(password), hash(wanted));
    // The quirk of the real one: an empty response first.
    this.socket.write(packet(id, RESPONSE, Buffer.alloc(0)));
    this.socket.write(packet(this.#authenticated ? id : -1, AUTH_RESPONSE, Buffer.alloc(0)));
    const address = this.socket.remoteAddress ?? '';
    if (this.#authenticated) return this.bans.forget(address);
    this.server.print(`rcon from "${address}:${this.socket.remotePort}": Bad Password`);
    if (this.bans.failed(address)) {
      this.server.print(`Banning ${address} for rcon hacking attempts`);
      this.socket.end();
    }
  }

  #command(id, line) {
    this.server.print(`rcon from "${this.socket.remoteAddress}:${this.socket.remotePort}": command "${line}"`);
    const said = [];
    this.server.execute(line, (text) => said.push(`${text}\n`));
    const answer = Buffer.from(said.join(''), 'utf8');
    for (let at = 0; at === 0 || at < answer.length; at += MAX_BODY) {
      this.socket.write(packet(id, RESPONSE, answer.subarray(at, at + MAX_BODY)));
    }
  }
}

class Bans {
  #failures = new Map();
  #until = new Map();

  constructor(server) {
    this.server = server;
  }

  isBanned(address) {
    return (this.#until.get(address) ?? 0) > Date.now();
  }

  failed(address) {
    const count = (this.#failures.get(address) ?? 0) + 1;
    this.#failures.set(address, count);
    if (count < Number(this.server.get('sv_rcon_maxfailures'))) return false;
    this.#failures.delete(address);
    this.#until.set(address, Date.now() + Number(this.server.get('sv_rcon_banpenalty')) * 60_000);
    return true;
  }

  forget(address) {
    this.#failures.delete(address);
  }
}

/** Accepts until the process ends. Rejects when the port is taken. */
export async function acceptRcon(server, address, port) {
  const bans = new Bans(server);
  const listener = createServer((socket) => {
    if (bans.isBanned(socket.remoteAddress ?? '')) return socket.destroy();
    const session = new Session(socket, server, bans);
    socket.on('data', (chunk) => session.receive(chunk));
    socket.on('error', () => socket.destroy());
  });
  listener.maxConnections = MAX_CONNECTIONS;
  await new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ host: address, port, exclusive: true }, resolve);
  });
}
