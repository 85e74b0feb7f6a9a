import fc from 'fast-check';
import { HOLDS, OVERLAYS, type ServerOperation, hosts, serverOperations, servers } from './model.js';

/** What happens; `pick` chooses among the jobs there are when it happens. Hosts and processes are chosen by number. */
export type Action =
  | { do: 'enqueue'; operation: ServerOperation; server: number; via: number; holdMs: number }
  | { do: 'build'; overlay: number; via: number; holdMs: number }
  | { do: 'install'; host: number; via: number; holdMs: number }
  | { do: 'finish' | 'advance'; pick: number }
  | { do: 'fail'; pick: number; code: number }
  | { do: 'cancel'; pick: number; via: number; of: 'all' | 'unfinished' }
  | { do: 'by-hand'; pick: number; how: 'retry' | 'promote' | 'duplicate' | 'remove' }
  | { do: 'pause'; ms: number }
  | { do: 'crash' | 'leave' | 'return'; host: number }
  | { do: 'flush' }
  | { do: 'redis' | 'postgres'; how: 'kill' | 'stop' | 'start' };

/** Actions that happen at the same time; after `settle` the fleet is given the time to do what it can. */
export interface Round {
  actions: Action[];
  settle: boolean;
}

/** One interleaving. In a calm one nothing is lost, so that nobody may need the reconciler. */
export interface Interleaving {
  calm: boolean;
  rounds: Round[];
}

const pick = fc.nat(1000);
const via = fc.nat(4);
const host = fc.nat(hosts.length - 1);
/** Some servers are asked for more often than others, or hardly any job would wait for another. */
const server = fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5, 5, 6, 6);
const holdMs = fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, { arbitrary: fc.constantFrom(...HOLDS), weight: 2 });
type Weighted = { arbitrary: fc.Arbitrary<Action>; weight: number };

const queueing: Weighted[] = [
  {
    weight: 30,
    arbitrary: fc.record({
      do: fc.constant('enqueue' as const),
      operation: fc.constantFrom(...serverOperations),
      server,
      via,
      holdMs,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('build' as const), overlay: fc.nat(OVERLAYS - 1), via, holdMs }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('install' as const), host, via, holdMs }) },
];
const ending: Weighted[] = [
  { weight: 10, arbitrary: fc.record({ do: fc.constantFrom('finish' as const, 'advance' as const), pick }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('fail' as const), pick, code: fc.integer({ min: 1, max: 255 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('cancel' as const),
      pick,
      via,
      of: fc.constantFrom('all' as const, 'unfinished' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pause' as const), ms: fc.nat(15) }) },
];
const byHand = (...ways: ('retry' | 'promote' | 'duplicate' | 'remove')[]): Weighted => ({
  weight: 7,
  arbitrary: fc.record({ do: fc.constant('by-hand' as const), pick, how: fc.constantFrom(...ways) }),
});
const workers = (weight: number): Weighted[] => [
  { weight, arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'crash' as const, 'leave' as const), host }) },
  { weight: Math.ceil(weight / 2), arbitrary: fc.record({ do: fc.constant('return' as const), host }) },
];
const flush: Weighted = { weight: 4, arbitrary: fc.record({ do: fc.constant('flush' as const) }) };
const services: Weighted = {
  weight: 14,
  arbitrary: fc.record({
    do: fc.constantFrom('redis' as const, 'postgres' as const),
    how: fc.constantFrom('kill' as const, 'kill' as const, 'stop' as const, 'start' as const, 'start' as const),
  }),
};

function rounds(actions: Weighted[], most: number): fc.Arbitrary<Round[]> {
  const action = fc.oneof(...actions);
  const round = fc.record({
    actions: fc.array(action, { minLength: 1, maxLength: 6, size: 'max' }),
    settle: fc.constantFrom(true, false, false),
  });
  return fc.array(round, { minLength: 1, maxLength: most, size: 'max' });
}

const calm = fc.record({
  calm: fc.constant(true),
  rounds: rounds([...queueing, ...ending, byHand('retry', 'promote', 'duplicate')], 9),
});
const disturbed = (more: Weighted[]): fc.Arbitrary<Interleaving> =>
  fc.record({
    calm: fc.constant(false),
    rounds: rounds([...queueing, ...ending, byHand('retry', 'promote', 'duplicate', 'remove'), ...more], 9),
  });

/** Without faults of the services; most of them calm. */
export const logic: fc.Arbitrary<Interleaving> = fc.oneof(
  { arbitrary: calm, weight: 6 },
  { arbitrary: disturbed([flush]), weight: 2 },
  { arbitrary: disturbed([flush, ...workers(4)]), weight: 2 },
);

/** With Redis and PostgreSQL going and coming too. */
export const serviceFaults: fc.Arbitrary<Interleaving> = disturbed([flush, ...workers(1), services]);

/** An interleaving as a person reads it: a line per round. */
export function written({ calm: isCalm, rounds: all }: Interleaving): string {
  const line = ({ actions, settle }: Round, n: number) =>
    `  ${n + 1}. ${actions.map(phrase).join(' | ')}${settle ? ' → settle' : ''}`;
  return [`${isCalm ? 'calm' : 'disturbed'}, ${all.length} rounds:`, ...all.map(line)].join('\n');
}

function phrase(one: Action): string {
  const { do: what, ...rest } = one;
  const values = Object.entries(rest).map(([key, value]) => {
    if (key === 'server') return servers[Number(value)]?.name;
    if (key === 'host') return hosts[Number(value)]?.name;
    return `${key} ${value}`;
  });
  return [what, ...values].join(' ');
}
