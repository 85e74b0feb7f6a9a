import { HostError } from '../errors.js';
import { NEVER_RAN, type ServiceState } from '../service/service-manager.js';
import { ask as askProgram, type Ask } from './ask.js';
import { ControlGroups } from './cgroup.js';
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
 * about units that look different from the last time, or whose events `forget` told of. As long as nobody tells of events,
 * nothing is remembered: a unit that was started again looks as before.
 */
export class UnitStates {
  private readonly known = new Map<string, Known>();
  /** How often `forget` was called. */
  private events = 0;
  /** How many tell of events. */
  private tellers = 0;

  constructor(
    private readonly ends: EndRecords,
    private readonly ask: Ask = askProgram,
    private readonly groups = new ControlGroups(),
  ) {}

  /** In the order of `names`. Throws `HostError` when systemd does not answer. */
  async read(names: readonly string[]): Promise<ServiceState[]> {
    const units = await this.properties(names);
    return Promise.all(names.map((name) => this.stateOf(name, units.get(name))));
  }

  /** One server's state, and what systemd calls the run it is of; null when systemd knows of none. */
  async one(name: string): Promise<{ state: ServiceState; run: string | null }> {
    const unit = (await this.properties([name])).get(name);
    return { state: await this.stateOf(name, unit), run: unit?.InvocationID || null };
  }

  /** The servers whose units systemd has in memory: they run, failed, or ended not long ago. */
  async loaded(): Promise<string[]> {
    return [...(await this.listUnits()).keys()];
  }

  /** Until the returned function is called, every event is told to `forget`. */
  remember(): () => void {
    this.known.clear();
    this.events++; // what is being asked at this moment may be of before
    this.tellers++;
    return () => this.tellers--;
  }

  /** systemd said something about this server: ask again. */
  forget(name: string): void {
    this.known.delete(name);
    this.events++;
  }

  private async stateOf(name: string, unit: UnitProperties | undefined): Promise<ServiceState> {
    if (unit === undefined) return NEVER_RAN;
    const state = stateOf(unit, await this.ends.outOfMemory(name, unit));
    return state.state === 'running' ? { ...state, usage: this.groups.usage(unit.ControlGroup) } : state;
  }

  private async properties(names: readonly string[]): Promise<Map<string, UnitProperties>> {
    if (this.tellers === 0) this.known.clear();
    const looks = await this.listUnits();
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
    for (const [name, properties] of await this.show(changed)) {
      units.set(name, properties);
      if (this.events === events && this.tellers > 0) this.known.set(name, { look: looks.get(name) ?? '', properties });
    }
    return units;
  }

  /** Server → what its unit looks like. Units that systemd has not loaded are missing. */
  private async listUnits(): Promise<Map<string, string>> {
    const answer: unknown = JSON.parse(await this.ask('busctl', LIST));
    const units =
      isObject(answer) && Array.isArray(answer.data) && Array.isArray(answer.data[0]) ? answer.data[0] : null;
    if (units === null)
      throw new HostError('systemd-unreadable', 'busctl answered something else than a list of units');
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

  private async show(names: readonly string[]): Promise<Map<string, UnitProperties>> {
    if (names.length === 0) return new Map();
    const properties = `--property=${PROPERTIES.join(',')}`;
    const text = await this.ask('systemctl', ['show', '--timestamp=unix', properties, '--', ...names.map(unitOf)]);
    return new Map(parseShow(text).map((unit) => [serverOf(unit.Id) ?? '', unit]));
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
