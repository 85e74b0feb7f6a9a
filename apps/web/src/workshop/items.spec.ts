import { describe, expect, it } from 'vitest';
import { entriesOf, membersOf, stateText } from './items';
import type { Item } from './schema';

function item(publishedFileId: string, about: Partial<Item> = {}): Item {
  const known = { listed: false, kind: 'item', title: null, bytes: 1, previewUrl: null, updatedAt: null } as const;
  const rest = { fileName: null, state: 'current', problem: null, refreshedAt: null, members: [] } as const;
  return { publishedFileId, ...known, ...rest, members: [...rest.members], ...about };
}

function mapOf(...items: Item[]): Map<string, Item> {
  return new Map(items.map((one) => [one.publishedFileId, one]));
}

it('takes what people paste apart', () => {
  expect(entriesOf(' 1, 2;3\r\nhttps://steamcommunity.com/sharedfiles/filedetails/?id=4\t\n\n')).toEqual([
    '1',
    '2',
    '3',
    'https://steamcommunity.com/sharedfiles/filedetails/?id=4',
  ]);
  expect(entriesOf('1 2\tsteamcommunity.com/app/550?id=3\nnot an id\n')).toEqual([
    '1',
    '2',
    'steamcommunity.com/app/550?id=3',
    'not an id',
  ]);
  expect(entriesOf(' \n')).toEqual([]);
});

describe('a collection', () => {
  const outer = item('a', { kind: 'collection', members: ['1', 'b'] });
  const inner = item('b', { kind: 'collection', members: ['2', 'a', '1'] });

  it('shows everything in it once, whatever leads to what', () => {
    const all = mapOf(outer, inner, item('1'), item('2'));
    expect(membersOf(outer, all).map(({ publishedFileId }) => publishedFileId)).toEqual(['1', '2']);
    const broken = mapOf(outer, { ...inner, problem: 'it is private', members: [] }, item('1'));
    expect(membersOf(outer, broken).map(({ publishedFileId }) => publishedFileId)).toEqual(['1', 'b']);
  });

  it('tells the worst of its members', () => {
    const told = (...members: Item[]) => stateText(outer, members).text;
    expect(told(item('1'))).toBe('Up to date');
    expect(told(item('1'), item('2', { state: 'new' }), item('3', { state: 'outdated' }))).toBe(
      '2 items for the next build',
    );
    expect(told(item('1', { state: 'new' }), item('2', { state: 'unavailable' }))).toBe('1 item cannot be had');
    expect(stateText({ ...outer, state: 'unavailable' }, []).text).toBe('Cannot be had');
  });
});
