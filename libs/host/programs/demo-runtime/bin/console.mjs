import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';

/** Words of a console line: quotes group, `//` outside of quotes begins a comment, `;` separates commands. */
export function parseLine(line) {
  const commands = [];
  let words = [];
  const finish = () => {
    if (words.length > 0) commands.push(words);
    words = [];
  };
  for (let i = 0; i < line.length;) {
    const c = line[i];
    if (c === '/' && line[i + 1] === '/') break;
    if (c === ';') {
      finish();
      i++;
    } else if (/\s/.test(c)) {
      i++;
    } else if (c === '"') {
      const end = line.indexOf('"', i + 1);
      words.push(line.slice(i + 1, end < 0 ? undefined : end));
      i = end < 0 ? line.length : end + 1;
    } else {
      let end = i;
      while (end < line.length && !/[\s";]/.test(line[end]) && !line.startsWith('//', end)) end++;
      words.push(line.slice(i, end));
      i = end;
    }
  }
  finish();
  return commands;
}

const DEFAULTS = {
  hostname: 'Left 4 Dead 2',
  rcon_password: '',
  sv_password: '',
  sv_lan: '0',
  sv_tags: '',
  sv_cheats: '0',
  sv_region: '255',
  sv_rcon_maxfailures: '10',
  sv_rcon_banpenalty: '5',
  mp_gamemode: 'coop',
  z_difficulty: 'Normal',
  sv_steamgroup: '',
  sv_consistency: '1',
};
const MODES = ['coop', 'versus', 'survival', 'scavenge', 'realism', 'teamversus', 'teamscavenge'];
const MAX_EXEC_DEPTH = 16;

/** The console: variables, commands, the map and the players that nobody plays. */
export class Console {
  map = '';
  players = [];
  onQuit = () => undefined;
  #variables = new Map(Object.entries(DEFAULTS));
  #depth = 0;
  #started = Date.now();

  constructor({ folder, print, address, port, maxPlayers }) {
    this.folder = folder;
    this.print = print;
    this.address = address;
    this.port = port;
    this.maxPlayers = maxPlayers;
  }

  get(name) {
    return this.#variables.get(name) ?? '';
  }

  /** Every variable whose name players may see, as A2S_RULES reports them. */
  rules() {
    const secret = ['rcon_password', 'sv_password'];
    return [...this.#variables].filter(([name]) => !secret.includes(name));
  }

  /** Runs a line; what it says goes to `reply`, or to the server's own output. */
  execute(line, reply = this.print) {
    for (const [command, ...words] of parseLine(line)) this.#run(command, words, reply);
  }

  /** A file below cfg/, line by line; the last setting of a variable wins. */
  executeFile(name, reply = this.print) {
    const file = name.endsWith('.cfg') || name.endsWith('.rc') ? name : `${name}.cfg`;
    if (normalize(file).startsWith('..') || file.startsWith('/')) return reply(`exec: invalid path ${name}`);
    let text;
    try {
      text = readFileSync(join(this.folder, 'cfg', file), 'utf8');
    } catch {
      return reply(`exec: couldn't exec ${name}`);
    }
    if (this.#depth >= MAX_EXEC_DEPTH) return reply(`exec: ${name} is nested too deep`);
    this.#depth++;
    for (const line of text.split('\n')) this.execute(line, reply);
    this.#depth--;
  }

  #run(command, words, reply) {
    const name = command.toLowerCase();
    const known = this.#commands[name];
    if (known !== undefined) return known(words, reply);
    if (words.length > 0) return this.#variables.set(name, words.join(' '));
    if (!this.#variables.has(name)) return reply(`Unknown command "${command}"`);
    reply(`"${name}" = "${name.endsWith('password') ? '***' : this.get(name)}"`);
  }

  #changeMap(words, reply) {
    const [map = '', mode] = words.join(' ').split(' ');
    if (!/^[a-z0-9_]+$/i.test(map)) return reply(`map load failed: ${map} not found or invalid`);
    if (mode !== undefined && MODES.includes(mode)) this.#variables.set('mp_gamemode', mode);
    this.map = map;
    this.print(`Loading map "${map}"`);
    // Like the game: with every map.
    this.executeFile('server.cfg');
    this.print(`Game started: ${this.get('mp_gamemode')} on ${map}, "${this.get('hostname')}"`);
  }

  #status(reply) {
    reply(`hostname: ${this.get('hostname')}`);
    reply('version : 2.2.4.3 9540 insecure (demo)');
    reply(`udp/ip  : ${this.address}:${this.port}`);
    reply('os      : Linux Dedicated');
    reply(`map     : ${this.map}`);
    reply(`players : ${this.players.length} humans, 0 bots (${this.maxPlayers} max) (not hibernating) (unreserved)`);
    reply('');
    reply('# userid name uniqueid connected ping loss state rate adr');
    for (const [i, player] of this.players.entries()) {
      reply(`#  ${i + 2} ${i + 1} "${player.name}" STEAM_1:0:${1000 + i} 00:10 42 0 active 30000 127.0.0.1:27005`);
    }
    reply('#end');
  }

  #commands = {
    echo: (words, reply) => reply(words.join(' ')),
    exec: (words, reply) => this.executeFile(words[0] ?? '', reply),
    map: (words, reply) => this.#changeMap(words, reply),
    changelevel: (words, reply) => this.#changeMap(words, reply),
    say: (words) => this.print(`Console: ${words.join(' ')}`),
    status: (_, reply) => this.#status(reply),
    users: (_, reply) => {
      for (const [i, player] of this.players.entries()) reply(`<slot:userid:"name"> ${i}:${i + 2}:"${player.name}"`);
      reply(`${this.players.length} users`);
    },
    stats: (_, reply) => {
      const minutes = Math.floor((Date.now() - this.#started) / 60_000);
      reply('CPU   In (KB/s)  Out (KB/s)  Uptime  Map changes  FPS      Players  Connects');
      reply(`0.00  0.00       0.00        ${minutes}       1            30.00    ${this.players.length}        0`);
    },
    maps: (_, reply) => {
      for (const map of readFileSync(join(this.folder, 'maplist.txt'), 'utf8').trim().split('\n'))
        reply(`PENDING:   (fs) ${map}.bsp`);
    },
    cvarlist: (_, reply) => {
      for (const [name, value] of this.rules()) reply(`${name.padEnd(40)} : ${value}`);
      reply(`${this.rules().length} total convars/concommands`);
    },
    quit: () => this.onQuit(),
    exit: () => this.onQuit(),
    stuffcmds: () => undefined,
    setmaster: () => undefined,
    heartbeat: () => undefined,
    // For trying things out; the real game has the first one only.
    sys_crash: () => {
      process.stderr.write('Segmentation fault (core dumped)\n');
      process.kill(process.pid, 'SIGSEGV');
    },
    demo_spam: (words) => {
      const count = Math.min(Number(words[0]) || 100, 1_000_000);
      for (let i = 1; i <= count; i++) this.print(`spam ${i} of ${count}`);
    },
    demo_players: (words) => {
      const count = Math.max(0, Math.min(Number(words[0]) || 0, this.maxPlayers));
      this.players = Array.from({ length: count }, (_, i) => ({
        name: `Demo ${i + 1}`,
        score: i * 7,
        since: Date.now(),
      }));
    },
  };
}
