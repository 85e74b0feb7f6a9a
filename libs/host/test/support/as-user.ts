import { execFileSync } from 'node:child_process';

const BUILT = new URL('../../dist/index.js', import.meta.url).href;
const PROGRAM = `
const [, built, root, action, assumeIsolation] = process.argv;
const { openHost } = await import(built);
const host = await openHost({ root, serviceManager: 'process', assumeIsolation, settleMs: 50 });
const output = { write: async (_, line) => console.log(line), progress: () => undefined };
const run = { signal: new AbortController().signal, output };
if (action === 'start') {
  await host.start('one', run, '2');
  await host.stop('one', run);
} else await host.delete('one', '3/12', run);
process.exit();`;

/** Starts and stops, or deletes, server `one` as a user who owns the files, and has none of the rights of root. @returns what it said */
export function asUser(
  root: string,
  action: 'start' | 'delete',
  isolation: 'namespaces' | 'copy' = 'namespaces',
): string {
  const user = ['--user', '--map-user=1000', '--map-group=1000'];
  const program = [process.execPath, '--input-type=module', '-e', PROGRAM];
  return execFileSync('unshare', [...user, ...program, BUILT, root, action, isolation], { encoding: 'utf8' });
}
