import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectKept } from './check.js';
import { Fleet } from './fleet.js';
import { type Action, logic, serviceFaults } from './steps.js';

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
const isFixed = CHAOS_RUNS === undefined && CHAOS_SEED === undefined;
const unseeded = isFixed ? FIXED_SEED : Math.floor(Math.random() * 2 ** 31);
const seed = CHAOS_SEED === undefined ? unseeded : Number(CHAOS_SEED);
const path = CHAOS_PATH === '' ? null : CHAOS_PATH;
const given = { seed, path, shrinkSeconds: Number(CHAOS_SHRINK_SECONDS) };

let fleet: Fleet | null = null;
beforeAll(async () => {
  fleet = await Fleet.launch();
});
afterAll(async () => fleet?.end());

const parts = [
  { name: 'logic', interleavings: logic, runs: Number(CHAOS_RUNS ?? 30), ...given },
  { name: 'service-faults', interleavings: serviceFaults, runs: Number(CHAOS_FAULT_RUNS), ...given },
];
const choices = parts.filter(({ name }) => CHAOS_ONLY === '' || CHAOS_ONLY === name);

type KindOf<A> = A extends { do: infer D extends string }
  ? A extends { how: infer H extends string }
    ? `${D} ${H}`
    : D
  : never;
/** Every kind there is: the compiler misses the one that is left out. */
const kinds: Record<KindOf<Action>, true> = {
  enqueue: true,
  build: true,
  install: true,
  finish: true,
  advance: true,
  fail: true,
  cancel: true,
  'by-hand retry': true,
  'by-hand promote': true,
  'by-hand duplicate': true,
  'by-hand remove': true,
  pause: true,
  crash: true,
  leave: true,
  return: true,
  flush: true,
  'redis kill': true,
  'redis stop': true,
  'redis start': true,
  'postgres kill': true,
  'postgres stop': true,
  'postgres start': true,
};

it.runIf(isFixed)('the interleavings that are the same each time hold every action there is', () => {
  const actions = parts
    .flatMap(({ interleavings, runs }) => fc.sample(interleavings, { seed, numRuns: runs }))
    .flatMap(({ rounds }) => rounds.flatMap((round) => round.actions));
  const held = actions.map((action) => ('how' in action ? `${action.do} ${action.how}` : action.do));
  expect([...new Set(held)].sort()).toEqual(Object.keys(kinds).sort());
});

it.each(choices)('the queue keeps its promises: $name', { timeout: 6 * 3600_000 }, async (choice) => {
  if (!fleet) throw new Error('there is no fleet');
  await expectKept(fleet, choice);
});
