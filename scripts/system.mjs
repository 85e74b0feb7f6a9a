// npm run test:system: installs left4me on a Debian 13 that is booted for it, and sees what happens there. Root only. Ends with 77,
// which is neither passed nor failed, where no machine can be booted. `npm run test:system -- <vitest's words>`.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, checkout, install, requireNode } from './steps.mjs';

const FOLDER = join(checkout, 'deploy/test');
const SCRIPT = join(FOLDER, 'machine.sh');
const CACHE = '/var/tmp/left4me-system';
const CANNOT_RUN = 77;
/**
 * Debian's part of an installation, in the cached base so that it is not unpacked each time; the installer gets the rest (Redis,
 * sudo). And a compiler for the tests' own servers.
 */
const PACKAGES = 'postgresql nodejs npm util-linux tcc libc6-dev';

requireNode();
const env = machineOf(process.pid);
const why = impossible();
if (why !== null) cannotRun(why);
await install();
mkdirSync(CACHE, { recursive: true });
mkdirSync(env.MACHINE_BINDS.split(':')[0], { recursive: true });
removeAbandoned();
let child = null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child?.kill('SIGTERM'));
try {
  const began = Date.now();
  mustBuild();
  child = spawn(bin('vitest'), ['run', '--config', join(FOLDER, 'vitest.config.ts'), ...process.argv.slice(2)], {
    cwd: FOLDER,
    env,
    stdio: 'inherit',
  });
  process.exitCode = await new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
  console.log(`System tests: ${process.exitCode === 0 ? 'passed' : 'FAILED'} in ${seconds(began)} s.`);
} finally {
  spawnSync(SCRIPT, ['remove'], { env, stdio: 'inherit' });
}

function machineOf(pid) {
  const folder = join(CACHE, `machine-${pid}`);
  return {
    ...process.env,
    MACHINE_CACHE: CACHE,
    MACHINE_FOLDER: folder,
    MACHINE_NAME: `l4m${pid % 10_000}`,
    MACHINE_NET: `10.213.${100 + (pid % 100)}`,
    MACHINE_OWNER: String(pid),
    MACHINE_PACKAGES: PACKAGES,
    // What npm has fetched once for this checkout serves the machine too.
    MACHINE_BINDS: `${join(npmSetting('cache'), '_cacache')}:/root/.npm/_cacache`,
    MACHINE_REGISTRY: npmSetting('registry'),
  };
}

function cannotRun(reason) {
  console.log(`npm run test:system CANNOT RUN here: ${reason}. That is not a success.`);
  process.exit(CANNOT_RUN);
}

function impossible() {
  const { status, stderr } = spawnSync(SCRIPT, ['possible'], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  return status === 0 ? null : stderr.trim() || 'machine.sh failed';
}

function mustBuild() {
  const began = Date.now();
  const { status } = spawnSync(SCRIPT, ['build'], { env, stdio: 'inherit' });
  if (status === CANNOT_RUN) cannotRun('see above');
  if (status !== 0) throw new Error('The base of the machine could not be made.');
  if (Date.now() - began > 1000) console.log(`Base of the machine: made in ${seconds(began)} s, kept in ${CACHE}.`);
}

/** Of runs that were killed; the machine itself died with them. */
function removeAbandoned() {
  for (const name of readdirSync(CACHE)) {
    const pid = /^machine-(\d+)$/.exec(name)?.[1];
    if (pid === undefined || isSystemTest(pid)) continue;
    spawnSync(SCRIPT, ['remove'], { env: machineOf(Number(pid)), stdio: 'inherit' });
  }
}

function isSystemTest(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('system.mjs');
  } catch {
    return false;
  }
}

function npmSetting(name) {
  return spawnSync('npm', ['config', 'get', name], { cwd: checkout, encoding: 'utf8' }).stdout.trim();
}

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(0);
}
