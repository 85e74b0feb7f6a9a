import { HostError } from '../errors.js';
import { NEVER_RAN, type ServiceState } from '../service/service-manager.js';
import { ask } from './ask.js';
import { readUsage } from './cgroup.js';
import { EndRecords } from './end-records.js';
import { ALL_UNITS, serverOf, unitOf } from './unit-names.js';
import { PROPERTIES, parseShow, stateOf, type UnitProperties } from './unit-state.js';

const LIST = [
  '--system',
  '--json=short',
  'call',
  'org.freedesktop.systemd1',
  '/org/freedesktop/systemd1',
  'org.freedesktop.systemd1.Manager',
  'ListUnitsByPatterns',
  'asas',
  '0',
  '1',
  ALL_UNITS,
] as const;

interface Known {
  /** ActiveState, SubState and the job under way, as the list tells them. */
  look: string;
  properties: UnitProperties;
}

/**
 * The states of all servers. One list of all units costs 10 ms for 200; `systemctl show`, ten times as dear, is asked only
 * about units that look different from the last time, or whose events `forget` told of.
 */
export class UnitStates {
  private readonly known = new Map<string, Known>();
  /** How often `forget` was called. */
  private events = 0;

  constructor(private readonly ends: EndRecords) {}

  /** In the order of `names`. Throws `HostError` when systemd does not answer. */
  async read(names: readonly string[]): Promise<ServiceState[]> {
    const looks = await listUnits();
    for (const name of this.known.keys()) if (!looks.has(name)) this.known.delete(name);
    // What is known may be forgotten while systemd is asked about the others.
    const units = new Map<string, UnitProperties>();
    const changed: string[] = [];
    for (const name of names) {
      const known = this.known.get(name);
      if (known !== undefined && known.look === looks.get(name)) units.set(name, known.properties);
      else if (looks.has(name)) changed.push(name);
    }
    const events = this.events;
    for (const [name, properties] of await show(changed)) {
      units.set(name, properties);
      if (this.events === events) this.known.set(name, { look: looks.get(name) ?? '', properties });
    }
    return Promise.all(
      names.map(async (name) => {
        const properties = units.get(name);
        if (properties === undefined) return NEVER_RAN;
        const state = stateOf(properties, await this.ends.outOfMemory(name, properties));
        return state.state === 'running' ? { ...state, usage: readUsage(properties.ControlGroup) } : state;
      }),
    );
  }

  /** Whether systemd has the unit in memory: it runs, failed, or ended not long ago. */
  async isLoaded(name: string): Promise<boolean> {
    return (await listUnits()).has(name);
  }

  /** systemd said something about this server: ask again. */
  forget(name: string): void {
    this.known.delete(name);
    this.events++;
  }
}

/** Server → what its unit looks like. Units that systemd has not loaded are missing. */
async function listUnits(): Promise<Map<string, string>> {
  const answer: unknown = JSON.parse(await ask('busctl', LIST));
  const units = isObject(answer) && Array.isArray(answer.data) && Array.isArray(answer.data[0]) ? answer.data[0] : null;
  if (units === null) throw new HostError('systemd-unreadable', 'busctl answered something else than a list of units');
  const looks = new Map<string, string>();
  for (const unit of units) {
    if (!Array.isArray(unit)) continue;
    // name, description, load state, active state, sub state, followed, path, job id, job type, job path
    const [name, , , active, sub, , , job] = unit.map(String);
    const server = name === undefined ? null : serverOf(name);
    if (server !== null) looks.set(server, `${active} ${sub} ${job}`);
  }
  return looks;
}

async function show(names: readonly string[]): Promise<Map<string, UnitProperties>> {
  if (names.length === 0) return new Map();
  const properties = `--property=${PROPERTIES.join(',')}`;
  const text = await ask('systemctl', ['show', '--timestamp=unix', properties, '--', ...names.map(unitOf)]);
  return new Map(parseShow(text).map((unit) => [serverOf(unit.Id) ?? '', unit]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
