// What `npm start`, `npm test` and `npm run check` share. Runs before anything is installed: Node's own modules only.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkout = dirname(dirname(fileURLToPath(import.meta.url)));

const NEEDED = [20, 19];

/** Ends the program with a sentence where Node is too old to go on. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  fail(
    `left4me needs Node ${NEEDED.join('.')} or newer; this is ${process.version}. See https://nodejs.org/en/download`,
  );
}

/** Says one sentence and ends. */
export function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

/**
 * Runs a command as one line on the terminal: what it is, then how long it took. Its output is shown only if it fails.
 * @returns whether it succeeded
 */
export async function step(title, command, args, options = {}) {
  const began = Date.now();
  const terminal = process.stdout.isTTY;
  if (terminal) process.stdout.write(`${title} …`);
  const { code, output } = await capture(command, args, options);
  const line = `${title}: ${code === 0 ? 'done' : 'FAILED'} (${((Date.now() - began) / 1000).toFixed(1)} s)`;
  process.stdout.write(terminal ? `\r\x1b[K${line}\n` : `${line}\n`);
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n`);
  return code === 0;
}

/** Like step, but nothing can go on after a failure. */
export async function mustStep(...args) {
  if (!(await step(...args))) process.exit(1);
}

/**
 * Installs the dependencies if they are missing or not those that package-lock.json names.
 * `npm install`, not `npm ci`: see docs/decisions/0021.
 */
export async function install() {
  const stamp = join(checkout, 'node_modules', '.left4me-installed');
  const wanted = dependencyHash();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier'];
  const everything = ['--include=dev', '--include=optional'];
  await mustStep('Installing dependencies', 'npm', ['install', ...quiet, ...everything]);
  writeFileSync(stamp, wanted);
}

/** Builds all projects; what has not changed comes from nx's cache. */
export function build() {
  return mustStep('Building', ...nx('run-many', '-t', 'build'));
}

/** Command and arguments to run nx, without its daemon (which would stay behind) and without its terminal interface. */
export function nx(...args) {
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', NX_NO_CLOUD: 'true' };
  return [bin('nx'), args, { env }];
}

/** A program of node_modules. */
export function bin(name) {
  return join(checkout, 'node_modules', '.bin', name);
}

/** Folders of the projects, relative to the checkout. */
export function projects() {
  return ['apps', 'libs'].flatMap((folder) =>
    readdirSync(join(checkout, folder))
      .map((name) => join(folder, name))
      .filter((project) => existsSync(join(checkout, project, 'package.json'))),
  );
}

function dependencyHash() {
  const files = ['package-lock.json', 'package.json', ...projects().map((project) => join(project, 'package.json'))];
  const hash = createHash('sha256').update(`${process.arch} ${process.versions.modules}\n`);
  for (const file of files) hash.update(readFileSync(join(checkout, file)));
  return hash.digest('hex');
}

function capture(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: checkout, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    const add = (chunk) => (output = (output + chunk).slice(-200_000));
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    child.on('error', (error) => resolve({ code: 1, output: `${command}: ${error.message}` }));
    child.on('close', (code) => resolve({ code, output }));
  });
}
