import { expect, it } from 'vitest';
import { connectHost } from './connect-address.js';

const address = (some: { address: string; family: 'IPv4' | 'IPv6'; internal: boolean }) => ({
  netmask: '',
  mac: '',
  cidr: null,
  scopeid: 0,
  ...some,
});

it('is the public host, else the first address of the machine, else loopback', () => {
  const lo = [address({ address: '127.0.0.1', family: 'IPv4', internal: true })] as never;
  const eth0 = [
    address({ address: 'fe80::1', family: 'IPv6', internal: false }),
    address({ address: '192.0.2.7', family: 'IPv4', internal: false }),
  ] as never;
  expect(connectHost('https://play.example.org:8443/x', { lo, eth0 })).toBe('play.example.org');
  expect(connectHost(null, { lo, eth0 })).toBe('192.0.2.7');
  expect(connectHost(null, { lo })).toBe('127.0.0.1');
});
