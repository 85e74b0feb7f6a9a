import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { resolveName } from '../src/scripts/network.js';
import { PublicAddresses } from '../src/scripts/public-address.js';
import { openScripts, PUBLIC, smallInternet } from './support/scripts.js';

describe('addresses that scripts reach', () => {
  const addresses = new PublicAddresses(['198.20.7.9/24', '2600:1234:5:6::9/64', '2600:9::1/128']);

  it.each(['93.184.215.14', '8.8.8.8', '198.20.8.1', '2606:2800:21f::1', '2600:1234:5:7::1', '64:ff9b::8.8.8.8'])(
    'are public ones: %s',
    (address) => expect(addresses.problem(address)).toBeNull(),
  );

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.9.9.9',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '239.1.1.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%lo',
    'fc00::1',
    'fd12::1',
    'fec0::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a00:1',
    '64:ff9b:1::1',
    '2002:7f00:1::1',
    '2002:0808:0808::1',
    '2001::1',
    '2001:db8::1',
    '100::1',
    'localhost',
    '',
  ])('are none that only seem public: %s', (address) =>
    expect(addresses.problem(address)).toBe('no address of the public internet'),
  );

  it.each(['198.20.7.9', '198.20.7.200', '2600:1234:5:6::1', '2600:9::1', '64:ff9b::198.20.7.1'])(
    "are not this machine's and its neighbours': %s",
    (address) => expect(addresses.problem(address)).toBe('an address of this machine or of a network it is part of'),
  );
});

describe('names of a script', () => {
  /** A name server; it answers nothing but questions for the IPv4 address of names with `maps` in it. */
  async function nameServer(): Promise<string> {
    const socket = createSocket('udp4');
    socket.on('message', (question, { address, port }) => {
      if (!question.includes('maps')) return;
      // RFC 1035, 4.1: a header of 12 bytes, then the name, which ends with a zero, its type and its class.
      const end = question.indexOf(0, 12) + 5;
      const asked = question.subarray(12, end);
      const ipv4 = question.readUInt16BE(end - 4) === 1;
      const header = Buffer.from([...question.subarray(0, 2), 0x81, 0x80, 0, 1, 0, ipv4 ? 1 : 0, 0, 0, 0, 0]);
      const answer = ipv4 ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 93, 184, 215, 14] : [];
      socket.send(Buffer.concat([header, asked, Buffer.from(answer)]), port, address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    onTestFinished(() => void socket.close());
    return `127.0.0.1:${socket.address().port}`;
  }

  it('are asked of the name servers, for a limited time', async () => {
    const servers = [await nameServer()];
    expect(await resolveName('maps.example', 60_000, servers)).toEqual([PUBLIC]);
    await expect(resolveName('silent.example', 300, servers)).rejects.toMatchObject({ code: 'ECANCELLED' });
  });
});

const GET = 'get() { curl --silent --show-error --max-time 60 "$@" 2>&1 | head -c 300; echo; }\n';

describe('the network of a script', () => {
  it('is the public internet: http, and tunnels to port 443', async () => {
    const internet = await smallInternet({ 'maps.example': [PUBLIC], 'mixed.example': ['10.0.0.1', PUBLIC] });
    const { run, said } = await openScripts({}, internet);
    const lines = await run(`${GET}
      get http://maps.example/campaign.vpk?x=1
      get -d hello http://maps.example/post
      get --proxytunnel http://maps.example:443/tunnel
      get http://${PUBLIC}/literal
      get http://mixed.example/other
    `);
    expect(lines.filter((line) => line !== '')).toEqual([
      'GET /campaign.vpk?x=1 ',
      'POST /post hello',
      'GET /tunnel ',
      'GET /literal ',
      'GET /other ',
    ]);
    expect(internet.asked[0]).toBe('GET maps.example /campaign.vpk?x=1');
    expect(said.filter((line) => line.includes('refused'))).toEqual([]);
  });

  it('has no address of this machine, of private networks or of its neighbours, by whatever name', async () => {
    const web = createServer((_, response) => response.end('secret of the panel'));
    web.listen(0, '0.0.0.0');
    await once(web, 'listening');
    onTestFinished(() => void web.close());
    const { port } = web.address() as AddressInfo;
    // It is there: this machine itself reaches it.
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('secret of the panel');
    const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
    const internet = await smallInternet({ 'evil.example': ['127.0.0.1', '::1'], 'panel.example': [PUBLIC] });
    const { run, said } = await openScripts({}, internet);
    const literals = ['127.0.0.1', '10.0.0.1', '192.168.0.1', '169.254.169.254', '0x7f.1', '2130706433', ...own];
    const targets = [...literals.map((at) => (at.includes(':') ? `[${at.split('%')[0]}]` : at)), '[::ffff:127.0.0.1]'];
    const lines = await run(
      `${GET}
      for at in ${targets.map((at) => `'${at}'`).join(' ')} evil.example panel.example; do get -g "http://$at/"; get -g "https://$at/"; done
      get http://${PUBLIC}:${port}/
      for at in 127.0.0.1:${port} ${own
        .filter((at) => !at.includes(':'))
        .map((at) => `${at}:${port}`)
        .join(' ')}; do get --noproxy '*' "http://$at/"; done
      get --noproxy '*' http://127.0.0.1:3128/
      `,
      { refuse: ['panel.example'] },
    );
    expect(lines.join('\n')).not.toContain('secret of the panel');
    expect(internet.asked).toEqual([]);
    const refused = said.filter((line) => line.startsWith('left4me: refused: scripts reach the public internet only'));
    expect(refused.length).toBe(2 * (targets.length + 2));
    expect(said).toContain(
      'left4me: refused: scripts reach the public internet only, not evil.example, which is ::1, an address of this machine or of a network it is part of',
    );
    expect(said).toContain(`left4me: refused: port ${port} of ${PUBLIC} is not reached from scripts: 80 and 443 are`);
    expect(lines.filter((line) => /Failed to connect|Couldn't connect/.test(line)).length).toBeGreaterThan(0);
    expect(lines.at(-1) === '' ? lines.at(-2) : lines.at(-1)).toContain('takes CONNECT and http:// addresses');
  });

  it('does not follow a name that changes between question and connection', async () => {
    const internet = await smallInternet();
    const connected: string[] = [];
    const answers = [[PUBLIC], ['127.0.0.1']];
    const { connect } = internet;
    internet.resolve = () => Promise.resolve(answers.shift() ?? ['127.0.0.1']);
    internet.connect = (address, port) => {
      connected.push(address);
      return connect(address, port);
    };
    const { run } = await openScripts({}, internet);
    const lines = await run(`${GET} get http://rebind.example/one; get http://rebind.example/two`);
    expect(lines[0]).toBe('GET /one ');
    expect(lines.join()).toContain('not rebind.example, which is 127.0.0.1');
    expect(connected).toEqual([PUBLIC]);
  });

  it('says why a name or an address does not answer, and survives what is no HTTP', async () => {
    const closed = createTcpServer((socket) => socket.destroy());
    closed.listen(0, '127.0.0.1');
    await once(closed, 'listening');
    onTestFinished(() => void closed.close());
    const internet = await smallInternet({ 'maps.example': [PUBLIC] });
    const { run, said } = await openScripts({}, internet);
    const lines = await run(`${GET}
      get http://nowhere.example/
      exec 9<>/dev/tcp/127.0.0.1/3128; printf 'garbage\\r\\n\\r\\n' >&9; head -n 1 <&9; exec 9>&-
      get -H "X: $(head -c 20000 /dev/zero | tr '\\0' x)" http://maps.example/ | head -n 1
      get http://maps.example/still
    `);
    expect(lines.filter((line) => line.trim() !== '')).toEqual([
      "left4me's proxy: nowhere.example is not found: getaddrinfo ENOTFOUND nowhere.example",
      expect.stringContaining('400 Bad Request'),
      'GET /still ',
    ]);
    expect(said).toContain('left4me: not reached: nowhere.example is not found: getaddrinfo ENOTFOUND nowhere.example');
  });
});
