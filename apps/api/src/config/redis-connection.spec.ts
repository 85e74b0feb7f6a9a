import { expect, it } from 'vitest';
import { redisConnection } from './redis-connection.js';

it.each([
  ['unix:/run/left4me/redis.sock', { path: '/run/left4me/redis.sock' }],
  ['unix:///run/a b.sock', { path: '/run/a b.sock' }],
  ['redis://cache', { host: 'cache', port: 6379 }],
  ['redis://:p%40ss@cache:6380/3', { host: 'cache', port: 6380, password: 'p@ss', db: 3 }],
  [
    'rediss://user:secret@[::1]:6379/0',
    { host: '::1', port: 6379, username: 'user', password: 'secret', db: 0, tls: {} },
  ],
])('reads %s', (url, options) => {
  expect(redisConnection(url)).toEqual(options);
});

it.each([
  ['cache:6379', 'must begin with'],
  ['nothing', 'must look like'],
  ['http://cache', 'not http:'],
  ['unix:relative.sock', 'absolute path'],
  ['redis://cache/first', 'database number'],
  ['redis://:100%@cache', '%25'],
])('refuses %s', (url, reason) => {
  expect(() => redisConnection(url)).toThrow(reason);
});
