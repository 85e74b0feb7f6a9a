// Folders that a script has closed, for whoever is not root: root may read everything. Argument: the root. Prints what each came to.
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openHost } from '../../dist/index.js';
import { Builds } from '../../dist/runtime/builds.js';
import { DiskUse } from '../../dist/scripts/disk-use.js';
import { ScriptBuilds } from '../../dist/scripts/script-builds.js';
import { SCRIPT_LIMITS } from '../../dist/scripts/script-limits.js';

const root = process.argv[2];
const limits = { ...SCRIPT_LIMITS, reserveBytes: 0 };
const signal = new AbortController().signal;
const run = { signal, output: { write: async () => undefined, progress: () => undefined } };
const told = (error) => ({ code: error.code, message: error.message });

/** As a script that closes a folder below its cache, or the cache itself. */
async function build(folder, mode) {
  const sandbox = {
    programs: [],
    require: async () => undefined,
    run: async (place) => {
      await mkdir(join(place.cache, folder), { recursive: true });
      await chmod(join(place.cache, folder), mode);
      await DiskUse.check([place.output, place.cache], limits, signal);
    },
  };
  const builds = new ScriptBuilds(root, new Builds(root), sandbox, limits);
  const error = await builds.build({ overlay: 7, script: 'true', refuse: [] }, run).catch(told);
  return { ...error, caches: await readdir(join(root, 'cache/scripts')) };
}

async function publish() {
  await mkdir(join(root, 'builds/7/closed/in'), { recursive: true });
  await chmod(join(root, 'builds/7/closed'), 0o400);
  const host = await openHost({ root, serviceManager: 'process', assumeIsolation: 'namespaces' });
  return host.publish({ overlay: 7, revision: 1, source: 'build' }, run).catch(told);
}

const results = [await build('sub', 0o400), await build('sub', 0o000), await build('.', 0o000), await publish()];
console.log(JSON.stringify(results));
