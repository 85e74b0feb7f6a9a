import { afterAll, beforeAll, it } from 'vitest';
import { expectKept } from './check.js';
import { Fleet } from './fleet.js';
import { logic, serviceFaults } from './steps.js';

/** In `npm test`: few interleavings, the same each time. Of this seed they hold every action there is. */
const FIXED_SEED = 33;

/** Set by scripts/chaos.mjs. */
const {
  CHAOS_RUNS,
  CHAOS_FAULT_RUNS = '3',
  CHAOS_SEED,
  CHAOS_PATH = '',
  CHAOS_ONLY = '',
  CHAOS_SHRINK_SECONDS = '60',
} = process.env;
const unseeded = CHAOS_RUNS === undefined ? FIXED_SEED : Math.floor(Math.random() * 2 ** 31);
const seed = CHAOS_SEED === undefined ? unseeded : Number(CHAOS_SEED);
const path = CHAOS_PATH === '' ? null : CHAOS_PATH;
const given = { seed, path, shrinkSeconds: Number(CHAOS_SHRINK_SECONDS) };

let fleet: Fleet | null = null;
beforeAll(async () => {
  fleet = await Fleet.launch();
});
afterAll(async () => fleet?.end());

const choices = [
  { name: 'logic', interleavings: logic, runs: Number(CHAOS_RUNS ?? 30), ...given },
  { name: 'service-faults', interleavings: serviceFaults, runs: Number(CHAOS_FAULT_RUNS), ...given },
].filter(({ name }) => CHAOS_ONLY === '' || CHAOS_ONLY === name);

it.each(choices)('the queue keeps its promises: $name', { timeout: 6 * 3600_000 }, async (choice) => {
  if (!fleet) throw new Error('there is no fleet');
  await expectKept(fleet, choice);
});
