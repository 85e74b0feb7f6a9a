// `node --import` this, and the process stops for ever, or waits, at the fault point that the file `armed` names.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env.LEFT4ME_TEST_FAULTS;
/** Whoever armed it is gone by then. */
const GIVE_UP_MS = 60_000;

let used = null;

globalThis.left4meFaultPoint = (name) => {
  const armed = read();
  if (armed === null || armed.point !== name || armed.id === used) return;
  used = armed.id;
  if (armed.afterMs > 0) setTimeout(() => stop(armed), armed.afterMs);
  else stop(armed);
};

function read() {
  try {
    return JSON.parse(readFileSync(join(folder, 'armed'), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Nothing of the program goes on meanwhile, so whoever armed it can look at its children and then kill it, just there. */
function stop({ id, action }) {
  writeFileSync(join(folder, `reached-${id}`), String(process.pid));
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const limit = Date.now() + GIVE_UP_MS;
  while (Date.now() < limit) {
    if (action === 'hold' && !existsSync(join(folder, `hold-${id}`))) return;
    Atomics.wait(sleeper, 0, 0, 5);
  }
  process.kill(process.pid, 'SIGKILL');
}
