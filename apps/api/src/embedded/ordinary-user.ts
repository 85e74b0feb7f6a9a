import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How to run a command so that it does not see itself as root (PostgreSQL refuses to, and game servers must never). */
export interface OrdinaryUser {
  /** `none`: we are one. `namespace`: another one in there only, files stay ours. `user`: really another user. */
  how: 'none' | 'namespace' | 'user';
  /** Arguments to put before the command; empty when we are an ordinary user already. */
  prefix: string[];
  /** Who files must belong to, where that is not who we are. */
  owner: { uid: number; gid: number } | null;
}

/**
 * As root, a user namespace that maps root to an ordinary user is preferred: no account is made, no file changes hands, and a
 * folder that only root may enter still works. Where user namespaces are forbidden (most containers), another account runs it.
 */
export async function ordinaryUser(): Promise<OrdinaryUser> {
  const root = process.getuid?.() === 0;
  if (!root && hasAccount()) return { how: 'none', prefix: [], owner: null };
  const accounts = await readAccounts();
  const inside = accountInNamespace(accounts);
  const namespace = ['unshare', '--user', `--map-user=${inside.uid}`, `--map-group=${inside.gid}`, '--'];
  if (await works(namespace)) return { how: 'namespace', prefix: namespace, owner: null };
  if (!root) return { how: 'none', prefix: [], owner: null };
  const owner = accounts.find(({ name }) => name === 'left4me') ?? accounts.find(({ name }) => name === 'nobody');
  const { uid, gid } = owner ?? { uid: 65534, gid: 65534 };
  const prefix = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
  return { how: 'user', prefix, owner: { uid, gid } };
}

/** A container may run us under an id that has no account, for which PostgreSQL has no name. */
function hasAccount(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}

interface Account {
  name: string;
  uid: number;
  gid: number;
}

/** PostgreSQL's initdb looks its user up by id and fails for an id without an account, so one that exists is chosen. */
function accountInNamespace(accounts: readonly Account[]): { uid: number; gid: number } {
  // 65534 is what every foreign file appears to belong to in a user namespace: never be that one.
  const usable = accounts.filter(({ uid, gid }) => uid !== 0 && uid !== 65534 && gid !== 0);
  return usable.find(({ uid }) => uid === 1000) ?? usable[0] ?? { uid: 1000, gid: 1000 };
}

async function readAccounts(): Promise<Account[]> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n');
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

async function works(prefix: readonly string[]): Promise<boolean> {
  const [program, ...args] = [...prefix, 'true'];
  if (program === undefined) return true;
  try {
    await run(program, args, { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
