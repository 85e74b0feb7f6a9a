/**
 * The demo server: stands in for srcds where the real game is not installed. It reads the same arguments and
 * configuration, prints alike, and answers A2S and RCON, so that everything around it can be tried. No game is played.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { answerQueries } from './a2s.mjs';
import { Console } from './console.mjs';
import { acceptRcon } from './rcon.mjs';

const GAME = 'left4dead2';

/** `-name value` and `+command words`, as srcds takes them. */
function parseArguments(argv) {
  const options = new Map();
  const commands = [];
  for (let i = 0; i < argv.length;) {
    const word = argv[i++];
    const values = [];
    while (i < argv.length && !/^[-+][a-z_]/i.test(argv[i])) values.push(argv[i++]);
    if (word.startsWith('+')) commands.push([word.slice(1), ...values].join(' '));
    else if (word.startsWith('-')) options.set(word.slice(1), values.join(' '));
  }
  return { options, commands };
}

const print = (line) => process.stdout.write(`${line}\n`);
const started = Date.now();
const { options, commands } = parseArguments(process.argv.slice(2));
const port = Number(options.get('port') || 27015);
const address = options.get('ip') || '0.0.0.0';
const console_ = new Console({
  folder: GAME,
  print,
  address,
  port,
  maxPlayers: Number(options.get('maxplayers') || 8),
});

function writeOwnFiles() {
  mkdirSync(`${GAME}/logs`, { recursive: true });
  const stamp = new Date().toISOString();
  appendFileSync(`${GAME}/logs/L${stamp.slice(5, 10).replace('-', '')}000.log`, `L ${stamp}: Log file started\n`);
  mkdirSync(`${GAME}/addons/sourcemod/data/sqlite`, { recursive: true });
  writeFileSync(
    `${GAME}/addons/sourcemod/data/sqlite/clientprefs-sqlite.sq3`,
    `demo statistics, last start ${stamp}\n`,
  );
}

function end(code) {
  print('Server shutting down');
  // Give RCON and the log a moment to take the last bytes.
  setTimeout(() => process.exit(code), 100);
}
console_.onQuit = () => end(0);
process.on('SIGTERM', () => end(0));
process.on('SIGINT', () => end(0));

function fail(error) {
  process.stderr.write(`Couldn't allocate any server IP port: ${error.message}\n`);
  process.exit(1);
}

print('Auto detecting CPU');
print('Using default binary: ./srcds_linux');
print('left4me demo server: answers queries and RCON like srcds, but there is no game in it');
print(`Server is running with: ${process.argv.slice(2).join(' ')}`);
try {
  await answerQueries(console_, address, port);
  await acceptRcon(console_, address, port);
} catch (error) {
  fail(error);
}
writeOwnFiles();
print(`Console initialized.`);
print(`Network: IP ${address}, mode MP, dedicated Yes, ports ${port} SV / 27005 CL`);
console_.executeFile('valve.rc');
for (const command of commands) {
  // The map comes with the first word; `+map "c1m1_hotel versus"` names the mode as well.
  console_.execute(command);
}
if (console_.map === '') {
  print('No +map was given: the demo loads c1m1_hotel. The real game would load none.');
  console_.execute('map c1m1_hotel');
}
setTimeout(() => {
  print('Connection to Steam servers successful.');
  print(`   VAC secure mode is ${console_.get('sv_lan') === '1' ? 'disabled' : 'activated'}.`);
}, 700);
setTimeout(() => print('Server is hibernating'), 1_500);
setInterval(() => {
  const minutes = Math.round((Date.now() - started) / 60_000);
  print(`[demo] up ${minutes} min, map ${console_.map}, ${console_.players.length} of ${console_.maxPlayers} players`);
}, 60_000);
