import { childrenOf, readCommandLine, readProcess, type ProcessId, type ProcessRow } from '../process/process-table.js';

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
  for (const candidate of [launcherPid, ...(await childrenOf(launcherPid))]) {
    const initLine = await readCommandLine(candidate);
    if (!INIT.test(initLine)) continue;
    for (const child of await childrenOf(candidate)) {
      const line = await readCommandLine(child);
      // A fork of the shell that has not become the program yet; or setpriv, the last step before it.
      if (line === '' || line === initLine || line.startsWith('setpriv\0')) continue;
      const [init, server] = await Promise.all([readProcess(candidate), readProcess(child)]);
      if (init !== null && server !== null) return { init: identity(init), server: identity(server) };
    }
  }
  return null;
}

function identity({ pid, startTime }: ProcessRow): ProcessId {
  return { pid, startTime };
}
