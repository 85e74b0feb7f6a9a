import { expect, it } from 'vitest';
import { openProblems } from './open-problems';
import type { BlueprintInput } from './schema';

const sent: BlueprintInput = {
  name: 'versus',
  description: '',
  overlays: [],
  arguments: ['-port', '27015'],
  config: 'one\ntwo ä\nthree\nfour {{nothing}}',
  files: [{ path: 'motd.txt', content: 'ä' }],
  hide: [],
};
const config = (line: number) => ({ path: 'config', message: `Line ${line}, column 5: wrong.` });
const port = { path: 'arguments.0', message: 'Is set by the server.' };

it('keeps what is wrong until that is changed, in the order of lines', () => {
  expect(openProblems([config(4), config(2), port], sent, sent)).toEqual([port, config(2), config(4)]);
  const now = { ...sent, config: 'zero\none\ntwo a\nthree\nfour {{nothing}}' };
  expect(openProblems([config(4), config(2), port], sent, now)).toEqual([port, config(4)]);
  expect(openProblems([port], sent, { ...sent, arguments: ['-tickrate', '100'] })).toEqual([]);
});

it('tells a list from its items', () => {
  const problems = [
    { path: 'files', message: 'Are too many.' },
    { path: 'files.0.content', message: 'Line 1: wrong.' },
    { path: 'hide', message: 'Is too long.' },
  ];
  const now = { ...sent, files: [{ path: 'host.txt', content: 'ä' }] };
  expect(openProblems(problems, sent, now).map(({ path }) => path)).toEqual(['hide', 'files.0.content']);
});
