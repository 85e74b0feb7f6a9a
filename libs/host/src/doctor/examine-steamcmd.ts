import { join } from 'node:path';
import { selfUpdateProblem, SteamClient } from '../steamcmd/steam-client.js';
import { answers } from './answers.js';
import { canExecute } from './can-execute.js';
import { bad, good, warning, type Finding } from './finding.js';

/** The loader of 32-bit programs, which steamcmd and srcds are. */
const LOADER_32 = '/lib/ld-linux.so.2';
/** What they need besides, and the packages that have it. */
const LIBRARIES_32 = { 'libgcc_s.so.1': 'lib32gcc-s1', 'libstdc++.so.6': 'lib32stdc++6' };
const LDCONFIG = '/sbin/ldconfig';
/** All from bsdutils; steamcmd runs under it. */
const SCRIPT = '/usr/bin/script';

/** Where an installation keeps the setting; `npm start` takes it from its environment. */
const CORRECT = 'correct LEFT4ME_STEAMCMD (in /etc/left4me/host.env, if left4me is installed)';

/** What is asked of this machine; a test has others. */
export interface Places {
  loader: string;
  ldconfig: string;
  script: string;
}
const THIS_MACHINE: Places = { loader: LOADER_32, ldconfig: LDCONFIG, script: SCRIPT };

/** Looks at what installing and running the real game needs; `program` is LEFT4ME_STEAMCMD. */
export async function examineSteamcmd(root: string, program: string, places = THIS_MACHINE): Promise<Finding[]> {
  const about = 'steamcmd';
  if (!(await canExecute(program))) {
    return [bad(about, `${program} cannot be executed`, `install steamcmd there (deploy/README.md), or ${CORRECT}`)];
  }
  const findings = [await libraries(places)];
  const problem = await selfUpdateProblem(program);
  if (problem !== null) findings.push(bad(about, problem, `move steamcmd, and ${CORRECT}`));
  else if (!(await canExecute(places.script)))
    findings.push(bad(about, 'script is missing', 'install the package bsdutils'));
  else findings.push(good(about, `${program} can update itself`));
  findings.push(await client(root, program));
  return findings;
}

async function libraries({ loader, ldconfig }: Places): Promise<Finding> {
  const about = '32-bit libraries';
  if (!(await canExecute(loader))) {
    return bad(
      about,
      `32-bit programs cannot run: ${loader} is missing`,
      'dpkg --add-architecture i386; apt-get update; apt-get install lib32gcc-s1 lib32stdc++6 libc6:i386',
    );
  }
  const { well, said } = await answers(ldconfig, ['-p']);
  if (!well) return warning(about, `whether they are there is unknown: ${said}`, 'see that steamcmd runs');
  const missing = Object.entries(LIBRARIES_32).filter(([name]) => !hasLibrary32(said, name));
  if (missing.length === 0) return good(about, 'those of steamcmd and the game are there');
  const packages = missing.map(([, name]) => name);
  const names = missing.map(([name]) => name);
  return bad(
    about,
    `32-bit ${names.join(' and ')} missing: the game cannot run`,
    `apt-get install ${packages.join(' ')}`,
  );
}

/** Lines like `libgcc_s.so.1 (libc6) => /usr/lib32/libgcc_s.so.1`; those of 64 bits have `(libc6,x86-64)`. */
function hasLibrary32(cache: string, name: string): boolean {
  return cache.split('\n').some((line) => line.trim().startsWith(`${name} (libc6) `));
}

async function client(root: string, program: string): Promise<Finding> {
  const about = 'steamclient.so';
  const state = await new SteamClient(program, join(root, 'cache', 'steam')).state();
  const again = 'press Install in the console, or run l4d2ctl install: it mends that';
  if (state === 'missing') return warning(about, 'it is not beside steamcmd, and servers log in to Steam by it', again);
  if (state === 'unlinked') return warning(about, 'no link in Steam’s home leads to the one of steamcmd', again);
  return good(about, 'servers can log in to Steam by it');
}
