import { fileURLToPath } from 'node:url';

/** The package's own programs. Paths are the same seen from src/ (tests) and from dist/. */
function fromPackage(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

export const PROGRAMS = {
  withLock: fromPackage('programs/with-lock.sh'),
  whenTold: fromPackage('programs/when-told.sh'),
  launchServer: fromPackage('programs/launch-server.sh'),
  serverInit: fromPackage('programs/server-init.sh'),
  enterBubblewrap: fromPackage('programs/script/enter-bubblewrap.sh'),
  withOutput: fromPackage('programs/script/with-output.sh'),
  runScript: fromPackage('programs/script/run-script.mjs'),
  demoRuntime: fromPackage('programs/demo-runtime'),
  /** Compiled: a supervisor outlives the panel and needs no TypeScript loader. */
  supervisor: fromPackage('dist/process-manager/supervisor.js'),
  replaceCopies: fromPackage('dist/yielding/replace-program.js'),
  composeCopy: fromPackage('dist/launcher/compose-program.js'),
  putAway: fromPackage('dist/trees/put-away-program.js'),
} as const;

/** What with-lock.sh ends with when somebody else holds the lock. */
export const LOCK_BUSY = 75;
