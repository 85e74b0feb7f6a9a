import { expect, it } from 'vitest';
import { welcome } from './welcome.js';

const place = { bind: '127.0.0.1', port: null, publicUrl: null, root: '/state', workerEnabled: true };
const running = { port: 8080, admin: null, bySystemd: false };

it('tells at a terminal how to stop, and in the journal of systemd does not', () => {
  const atTerminal = ['', '  left4me is running: http://localhost:8080'];
  expect(welcome(place, running)).toEqual([
    ...atTerminal,
    '  State: /state   Stop with Ctrl-C; game servers go on running.',
    '',
  ]);
  expect(welcome(place, { ...running, bySystemd: true })).toEqual([...atTerminal, '  State: /state', '']);
});

it('tells the public address, another port, a missing worker and the first admin', () => {
  const api = { ...place, bind: '::', publicUrl: 'https://l4d2.example.org', workerEnabled: false };
  expect(welcome(api, { ...running, port: 8081, admin: 'admin: secret' })).toEqual([
    '',
    '  left4me is running: https://l4d2.example.org',
    '  (port 8080 is taken; LEFT4ME_PORT chooses another)',
    '  It runs no jobs itself: the worker of each host does (--role worker).',
    '  admin: secret',
    '  State: /state   Stop with Ctrl-C; game servers go on running.',
    '',
  ]);
});
