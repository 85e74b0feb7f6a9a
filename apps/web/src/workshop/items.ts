import { plural } from '../design/amounts';
import type { Tone } from '../design/tone';
import type { Item } from './schema';

/** What people paste: ids and addresses, between spaces, commas and line breaks. Words that are neither stay together. */
export function entriesOf(text: string): string[] {
  const isEntry = (word: string): boolean => /^(\d+|https?:.*|.*[/?].*)$/i.test(word);
  return text
    .split(/[\n\r,;]+/)
    .map((piece) => piece.trim())
    .filter(Boolean)
    .flatMap((piece) => {
      const words = piece.split(/\s+/);
      return words.every(isEntry) ? words : [piece];
    });
}

/** As people know it. */
export function titleOf(item: Item): string {
  return item.title ?? item.publishedFileId;
}

/** Everything in a collection and in those in it, once each; of collections only those that cannot be read. */
export function membersOf(collection: Item, all: ReadonlyMap<string, Item>): Item[] {
  const seen = new Set([collection.publishedFileId]);
  const found: Item[] = [];
  const visit = (ids: readonly string[]): void => {
    for (const id of ids) {
      const item = all.get(id);
      if (!item || seen.has(id)) continue;
      seen.add(id);
      if (item.kind !== 'collection' || item.problem !== null) found.push(item);
      visit(item.members);
    }
  };
  visit(collection.members);
  return found;
}

export interface StateText {
  shape: 'unknown' | 'off' | 'done' | 'bad';
  tone: Tone;
  text: string;
}

const states: Record<Item['state'], StateText> = {
  unknown: { shape: 'unknown', tone: 'idle', text: 'Not looked up yet' },
  new: { shape: 'off', tone: 'warn', text: 'Next build adds it' },
  outdated: { shape: 'off', tone: 'warn', text: 'Next build updates it' },
  current: { shape: 'done', tone: 'good', text: 'Up to date' },
  unavailable: { shape: 'bad', tone: 'bad', text: 'Cannot be had' },
};

/** Of an item; of a collection, what its members come to. */
export function stateText(item: Item, members: readonly Item[]): StateText {
  if (item.kind !== 'collection' || item.state !== 'current') return states[item.state];
  const count = (...wanted: Item['state'][]) => members.filter(({ state }) => wanted.includes(state)).length;
  const lost = count('unavailable');
  if (lost > 0) return { ...states.unavailable, text: `${plural(lost, 'item')} cannot be had` };
  const open = count('new', 'outdated', 'unknown');
  return open > 0 ? { ...states.new, text: `${plural(open, 'item')} for the next build` } : states.current;
}

/** The reason as a sentence of its own; empty without one. */
export function problemText({ problem }: Item): string {
  return problem === null ? '' : `${problem.charAt(0).toUpperCase()}${problem.slice(1)}.`;
}

/** The bytes of all items. */
export function totalBytes(items: readonly Item[]): number {
  return items.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
}
