import { expect, it } from 'vitest';
import { TooManyAttempts } from '../problems/problems.js';
import { FollowedFiles } from './followed-files.js';

it('a user follows so many files at once, which is not what others follow', () => {
  const followed = new FollowedFiles(2);
  const readers = [new AbortController(), new AbortController(), new AbortController()] as const;
  followed.add(1, readers[0].signal);
  followed.add(1, readers[1].signal);
  expect(() => followed.add(1, readers[2].signal)).toThrow(TooManyAttempts);
  followed.add(2, readers[2].signal);
  readers[0].abort();
  readers[0].abort();
  followed.add(1, new AbortController().signal);
  expect(() => followed.add(1, new AbortController().signal)).toThrow('You follow 2 files of servers already');
  // Gone before it began.
  followed.add(1, AbortSignal.abort());
});
