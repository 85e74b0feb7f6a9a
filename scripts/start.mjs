// npm start: install, build, run the panel. `npm start -- <command> …` runs another command of left4me instead of `serve`.
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { build, checkout, fail, install, requireNode } from './steps.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

requireNode();
if (process.platform !== 'linux') fail('left4me runs on Linux: it drives Linux game servers.');
await install();
await build();
await runPanel(process.argv.slice(2));

async function runPanel(given) {
  const program = join(checkout, 'apps/api/dist/left4me.js');
  const root = resolve(process.env.LEFT4ME_ROOT || join(checkout, '.left4me'));
  const prefix = await whoRunsIt(root, program);
  const args = given.length === 0 || given[0].startsWith('-') ? ['serve', ...given] : given;
  // The panel dies with us at kill -9 too. It gets a session of its own, so that Ctrl-C reaches it once: through us.
  const argv = [...prefix, 'setpriv', '--pdeathsig', 'TERM', '--', process.execPath, program, ...args];
  const panel = spawn(argv[0], argv.slice(1), {
    cwd: checkout,
    detached: true,
    stdio: 'inherit',
    env: { ...process.env, LEFT4ME_ROOT: root },
  });
  panel.on('error', () => fail(`${argv[0]} (util-linux) is needed to run left4me; please install it.`));
  panel.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
  forwardSignals(panel);
  followNpm(panel);
}

function forwardSignals(panel) {
  const last = {};
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // In a terminal Ctrl-C comes from the kernel and from npm: one press is one signal.
      if (Date.now() - (last[signal] ?? 0) < 500) return;
      last[signal] = Date.now();
      panel.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    });
  }
}

/** npm killed with -9 tells nobody, but we, or the shell between us, become somebody else's child. */
function followNpm(panel) {
  if (!process.env.npm_lifecycle_event) return;
  const throughShell = statOf(process.ppid).command.endsWith('sh');
  const parents = () => (throughShell ? `${process.ppid} ${statOf(process.ppid).parent}` : `${process.ppid}`);
  const before = parents();
  const timer = setInterval(() => {
    if (parents() === before) return;
    clearInterval(timer);
    panel.kill('SIGTERM');
  }, 500);
  timer.unref();
}

/** Command and parent of a process, from /proc/<pid>/stat (proc(5)). */
function statOf(pid) {
  const [, command = '', parent = ''] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  return { command, parent };
}

/**
 * Root does not run the panel as root: PostgreSQL refuses to, and game servers must not. State that belongs to somebody is run
 * by that somebody; otherwise root becomes an ordinary user in a user namespace, or where those are forbidden another account.
 */
async function whoRunsIt(root, program) {
  if (process.getuid() !== 0) return (await ordinaryUser()).prefix;
  const isNew = !existsSync(root) || readdirSync(root).length === 0;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const { uid, gid } = statSync(root);
  const user = await ordinaryUser();
  if (uid !== 0) {
    user.prefix = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
  } else if (user.owner) {
    if (!isNew)
      fail(
        `${root} belongs to root, and without user namespaces left4me cannot run as root: chown -R it to another user.`,
      );
    chownSync(root, user.owner.uid, user.owner.gid);
  }
  for (const path of [program, root]) {
    if (works([...user.prefix, 'test', '-r', path])) continue;
    const remedy = 'start it as an ordinary user, or put it where other users may enter (not below /root)';
    fail(`left4me does not run as root, and the user it runs as instead may not read ${path}: ${remedy}.`);
  }
  return user.prefix;
}

/** Known only once it is built. */
async function ordinaryUser() {
  const module = await import('../apps/api/dist/embedded/ordinary-user.js');
  return module.ordinaryUser();
}

function works(argv) {
  return spawnSync(argv[0], argv.slice(1), { stdio: 'ignore' }).status === 0;
}
