// A stand-in for steamcmd that gives a stand-in for the game, with the outputs and quirks of the real ones. What it does is in
// behaviour.json beside it, which may change while it runs (see README.md). Lines marked [M] are from memory, all others from
// public logs.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { appInfo, installWindows, installLinux, installedBuild, isWhole, writeManifest } from './game.mjs';

const APP = '222860';
const here = dirname(fileURLToPath(import.meta.url));
const home = process.env.HOME;
const cache = join(home, 'Steam', 'appcache');
/** What it knows of apps; it answers from it as long as it is there, however old it is. */
const appInfoFile = join(cache, 'appinfo.vdf');
/** Without it the first app_update fails: an empty home. */
const packageInfoFile = join(cache, 'packageinfo.vdf');
const clientFile = join(here, 'linux32', 'steamclient.so');

const behaviour = () => JSON.parse(readFileSync(join(here, 'behaviour.json'), 'utf8'));

/** On a terminal a line is out at once. Otherwise 4 KB at a time, and what is left at the end is lost. */
let held = '';
function print(text) {
  if (process.stdout.isTTY) {
    writeSync(1, `${text}\n`);
    return;
  }
  held += `${text}\n`;
  while (held.length >= 4096) {
    writeSync(1, held.slice(0, 4096));
    held = held.slice(4096);
  }
}

function updateItself() {
  print('[  0%] Checking for available updates...');
  print('[----] Downloading update (0 of 40,228 KB)...');
  print('[ 42%] Downloading update (16,896 of 40,228 KB)...');
  print('[----] Extracting package...');
  print('[----] Installing update...');
  print('[----] Update complete, launching Steamcmd...');
  rmSync(clientFile, { force: true });
  writeFileSync(clientFile, `steamclient.so ${behaviour().client ?? 1}\n`);
  process.exit(42);
}

const state = { platform: 'linux', folder: null, loggedIn: false, gotWindows: false };

const commands = {
  '@sSteamCmdForcePlatformType': ([platform]) => {
    state.platform = platform;
    print(`"@sSteamCmdForcePlatformType" = "${platform}"`);
  },
  force_install_dir: ([folder]) => {
    if (state.loggedIn) print('Please use force_install_dir before logon!');
    state.folder = folder;
  },
  login: async ([name]) => {
    if (name !== 'anonymous') throw new Error(`this stand-in knows no user ${name}`);
    const { mode } = behaviour();
    if (mode === 'hang') {
      print('\nConnecting anonymously to Steam Public...');
      for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(signal, () => undefined);
      await sleep(3_600_000);
    }
    if (mode === 'no-connection') {
      print('\nConnecting anonymously to Steam Public...Retrying...\nRetrying...\nRetrying...\nFAILED (No Connection)');
      return;
    }
    state.loggedIn = true;
    print(
      '\nConnecting anonymously to Steam Public...OK\nWaiting for client config...OK\nWaiting for user info...OK\u001B[0m',
    );
  },
  app_info_update: () => undefined,
  app_info_request: () => {
    if (state.loggedIn && behaviour().appInfo !== 'late') learn();
  },
  app_info_print: async ([app]) => {
    const { appInfo: how } = behaviour();
    if (how === 'hang') await sleep(3_600_000);
    if (!state.loggedIn || app !== APP) return;
    if (how === 'never') {
      print(`AppID : ${APP}, change number : 0/0, last change : Thu Jan  1 00:00:00 1970 \n"${APP}"\n{\n}`);
    } else if (existsSync(appInfoFile)) {
      print(appInfo(APP, JSON.parse(readFileSync(appInfoFile, 'utf8'))));
    } else {
      print(`No app info for AppID ${APP} found, requesting...`);
      learn();
    }
  },
  app_update: ([app, validate]) => update(app, validate === 'validate'),
};

function learn() {
  const { build, bytes } = behaviour();
  mkdirSync(cache, { recursive: true });
  if (!existsSync(appInfoFile)) writeFileSync(appInfoFile, JSON.stringify({ build, bytes: bytes ?? 2_000_000 }));
}

async function update(app, validate) {
  const { mode, code = '0x202' } = behaviour();
  const refused = (why) => print(`ERROR! Failed to install app '${app}' (${why})`);
  if (!state.loggedIn) return print('ERROR! Failed to request AppInfo update, not online or not logged in to Steam.');
  if (mode === 'no-subscription' || app !== APP) return refused('No subscription');
  if (mode === 'missing-configuration' || !existsSync(packageInfoFile)) {
    mkdirSync(cache, { recursive: true });
    if (mode !== 'missing-configuration') writeFileSync(packageInfoFile, '');
    state.unready = true; // until the next run
  }
  if (state.unready) return refused('Missing configuration');
  if (mode === 'invalid-platform') return refused('Invalid platform');
  if (mode === 'rate-limit') return refused('Rate Limit Exceeded'); // [M]
  if (mode === 'crash' && state.platform === 'linux') process.exit(behaviour().exitCode ?? 139);
  if (state.platform === 'linux' && !state.gotWindows) return refused('Invalid platform');
  learn();
  if (!(await download(mode))) {
    return print(`Error! App '${app}' state is ${code} after update job.`);
  }
  if (state.platform === 'windows') installWindows(state.folder, behaviour());
  else if (mode !== 'no-linux-files') installLinux(state.folder, behaviour());
  if (validate) {
    for (const percent of ['0.03', '57.91', '99.99']) {
      print(` Update state (0x5) verifying install, progress: ${percent} (${percent} / 2000000)`);
    }
  }
  if (state.platform === 'windows') state.gotWindows = true;
  writeManifest(state.folder, behaviour(), mode === 'half' ? 1026 : 4);
  print(`Success! App '${app}' fully installed.`);
}

/** False when it breaks off. */
async function download(mode) {
  const { build, stepMs = 2, steps = 8 } = behaviour();
  if (installedBuild(state.folder) === build && isWhole(state.folder, state.platform, build)) return true;
  print(' Update state (0x3) reconfiguring, progress: 0.00 (0 / 0)');
  for (let step = 1; step <= steps; step++) {
    const percent = ((step * 84.2) / steps).toFixed(2);
    print(` Update state (0x61) downloading, progress: ${percent} (${step * 100_000} / ${steps * 100_000})`);
    if (mode === 'stall' && step === 2) {
      for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(signal, () => undefined);
      installWindows(state.folder, behaviour()); // half of it is there
      await sleep(3_600_000);
    }
    if (step === 2) while (behaviour().mode === 'wait') await sleep(20);
    await sleep(stepMs);
    if (mode === 'state' && step === 3) return false;
  }
  print(' Update state (0x81) verifying update, progress: 50.00 (400000 / 800000)');
  print(' Update state (0x101) committing, progress: 99.12 (792960 / 800000)');
  return true;
}

print(`Redirecting stderr to '${home}/Steam/logs/stderr.txt'\nLogging directory: '${home}/Steam/logs'`);
if (!existsSync(clientFile) || readFileSync(clientFile, 'utf8') !== `steamclient.so ${behaviour().client ?? 1}\n`)
  updateItself();
print('[  0%] Checking for available updates...\n[----] Verifying installation...');
print('UpdateUI: skip show logo\nSteam Console Client (c) Valve Corporation - version 1733269577');
print("-- type 'quit' to exit --\nLoading Steam API...OK");
const words = process.argv.slice(2);
while (words.length > 0) {
  const name = words.shift().slice(1);
  const next = words.findIndex((word) => word.startsWith('+'));
  const given = words.splice(0, next < 0 ? words.length : next);
  if (name === 'quit') break;
  if (commands[name]) await commands[name](given);
  else print(`Command not found: ${name}`);
}
print('Unloading Steam API...OK');
process.exitCode = behaviour().exitCode ?? 0;
