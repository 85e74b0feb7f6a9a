import { BlockList, isIP } from 'node:net';

/** Not public: IANA's special-purpose registry of IPv4 (RFC 6890 and its updates), multicast and what is reserved. */
const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Global unicast: everything else of IPv6 (loopback, unique local, link-local, multicast, IPv4-mapped) is not public. */
const GLOBAL_IPV6 = '2000::/3';
/** Inside it, but not public: Teredo and other protocols' own, documentation, 6to4 (which names an IPv4 address). */
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];
/** RFC 6052: an IPv4 address as networks without IPv4 reach it. Its last 32 bits are judged like that address. */
const NAT64 = '64:ff9b::';

/** Which addresses a script may reach: public ones that are neither this machine's nor on a network it is directly part of. */
export class PublicAddresses {
  private readonly special = new BlockList();
  private readonly global = new BlockList();
  private readonly own = new BlockList();

  /** @param own this machine's addresses, each with its network's prefix length: `192.0.2.7/24` */
  constructor(own: readonly string[]) {
    add(this.global, GLOBAL_IPV6);
    add(this.global, `${NAT64}/96`);
    for (const network of [...SPECIAL_IPV4, ...SPECIAL_IPV6]) add(this.special, network);
    for (const network of own) add(this.own, network);
  }

  /** Why the address is not reached, to follow "which is"; null when it may be. */
  problem(address: string): string | null {
    const version = isIP(address);
    if (version === 0 || address.includes('%')) return 'no address of the public internet';
    const family = version === 4 ? 'ipv4' : 'ipv6';
    if (this.own.check(address, family)) return 'an address of this machine or of a network it is part of';
    const isPublic = (version === 4 || this.global.check(address, family)) && !this.special.check(address, family);
    return isPublic ? null : 'no address of the public internet';
  }
}

function add(list: BlockList, network: string): void {
  const [address = '', length = ''] = network.split('/');
  const plain = address.split('%')[0] ?? '';
  if (isIP(plain) === 6) return list.addSubnet(plain, Number(length), 'ipv6');
  list.addSubnet(plain, Number(length), 'ipv4');
  list.addSubnet(`${NAT64}${plain}`, 96 + Number(length), 'ipv6');
}
