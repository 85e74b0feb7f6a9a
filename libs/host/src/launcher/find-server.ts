import { listProcesses, readCommandLine, type ProcessId, type ProcessRow } from '../process/process-table.js';

/** Where server-init.sh is known by, in its command line. */
const INIT = /^\/bin\/sh\0[^\0]*\/server-init\.sh\0/;

export interface FoundServer {
  init: ProcessId;
  server: ProcessId;
}

/**
 * Looks below the launcher for server-init.sh and its child, once that child has become the server's own program (exec
 * done). Null as long as it has not. Every step of the launcher has another command line, so nothing else is mistaken.
 */
export async function findServer(launcherPid: number): Promise<FoundServer | null> {
  const rows = await listProcesses();
  const launcher = rows.find((row) => row.pid === launcherPid);
  if (launcher === undefined) return null;
  for (const candidate of [launcher, ...childrenOf(rows, launcher)]) {
    const initLine = await readCommandLine(candidate.pid);
    if (!INIT.test(initLine)) continue;
    for (const child of childrenOf(rows, candidate)) {
      const line = await readCommandLine(child.pid);
      // A fork of the shell that has not become the program yet; or setpriv, the last step before it.
      if (line === '' || line === initLine || line.startsWith('setpriv\0')) continue;
      return { init: identity(candidate), server: identity(child) };
    }
  }
  return null;
}

function childrenOf(rows: readonly ProcessRow[], parent: ProcessRow): ProcessRow[] {
  return rows.filter((row) => row.parent === parent.pid);
}

function identity(row: ProcessRow): ProcessId {
  return { pid: row.pid, startTime: row.startTime };
}
