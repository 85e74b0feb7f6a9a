import { describe, expect, it } from 'vitest';
import { readSettings, type Role, WrongSettings } from './settings.js';

const read = (env: Record<string, string>) => readSettings(env, { root: '/state' });

it('needs nothing', () => {
  expect(read({})).toEqual(read({ DATABASE_URL: '', LEFT4ME_BIND: '', LEFT4ME_STEAMCMD: '' }));
  expect(read({})).toMatchObject({ root: '/state', bind: '127.0.0.1', trustedProxies: [], serviceManager: 'process' });
});

describe('refuses', () => {
  it.each([
    ['DATABASE_URL', 'mysql://somewhere', 'must be a URL starting with postgres:// or postgresql://'],
    ['DATABASE_URL', 'postgres://[somewhere', 'must look like postgres://user:password@host:5432/database'],
    ['REDIS_URL', 'cache:6379', 'must be a URL starting with redis:// or rediss:// or unix:'],
    ['REDIS_URL', 'redis://127.0.0.1/first', 'the path must be a database number'],
    ['REDIS_URL', 'redis://127.0.0.1:99999', 'must look like redis://'],
    ['REDIS_URL', 'redis://:100%@cache', 'a % in the user or password must be written %25'],
    ['REDIS_URL', 'unix:redis.sock', 'a unix: URL needs an absolute path'],
    ['SECRET_KEY', 'short', 'must have at least 32 characters'],
    ['LEFT4ME_ROOT', 'state', 'must be an absolute path'],
    ['LEFT4ME_PORT', 'eighty', 'must be a whole number from 1 to 65535'],
    ['LEFT4ME_PORT', '0', 'must be a whole number from 1 to 65535'],
    ['LEFT4ME_PORT', '65536', 'must be a whole number from 1 to 65535'],
    ['LEFT4ME_BIND', '999.1.1.1', 'must be an IP address or a host name of this machine'],
    ['LEFT4ME_BIND', 'http://localhost', 'must be an IP address or a host name of this machine'],
    ['LEFT4ME_BIND', '10.0.0.0/8', 'must be an IP address or a host name of this machine'],
    ['LEFT4ME_PUBLIC_URL', 'play.example.org', 'must be a URL starting with http:// or https://'],
    ['LEFT4ME_PUBLIC_URL', 'http://', 'must be a URL'],
    ['LEFT4ME_TRUSTED_PROXIES', 'the proxy', 'must be IP addresses or networks'],
    ['LEFT4ME_TRUSTED_PROXIES', '127.0.0.1,300.0.0.1', 'must be IP addresses or networks'],
    ['LEFT4ME_TRUSTED_PROXIES', '10.0.0.0/33', 'must be IP addresses or networks'],
    ['LEFT4ME_TRUSTED_PROXIES', '10.0.0.0/0', 'must be IP addresses or networks'],
    ['LEFT4ME_ADMIN_PASSWORD', 'short', 'must have at least 8 characters'],
    ['LEFT4ME_ADMIN_PASSWORD', 'x'.repeat(257), 'must have at most 256 characters'],
    ['LEFT4ME_HOST', 'My Machine', 'must be lower-case letters, digits and dashes, 32 at most'],
    ['LEFT4ME_SERVICE_MANAGER', 'upstart', 'must be systemd or process'],
    ['LEFT4ME_KEPT_FILES', '*.sq3, /etc/*', '/etc/*: must be relative'],
    ['LEFT4ME_STEAMCMD', 'steamcmd', 'must be an absolute path'],
    ['LEFT4ME_STEAMCMD', '/nonexistent/steamcmd.sh', '/nonexistent/steamcmd.sh does not exist'],
    ['LEFT4ME_STEAMCMD', '/etc/passwd/steamcmd.sh', '/etc/passwd/steamcmd.sh does not exist'],
    ['LEFT4ME_STEAMCMD', '/usr/bin', '/usr/bin is not a file'],
    ['LEFT4ME_STEAMCMD', '/etc/passwd', '/etc/passwd is not executable by this user'],
    ['JOB_WORKER_ENABLED', 'perhaps', 'must be true or false'],
    ['JOB_WORKER_CONCURRENCY', '0', 'must be a whole number from 1 to 1000'],
    ['STATE_POLLER_INTERVAL_SECONDS', '0', 'must be a whole number from 1 to 3600'],
    ['LEFT4ME_TRASH_DAYS', '0', 'must be a whole number from 1 to 3650'],
    ['LEFT4ME_KEPT_REVISIONS', '0', 'must be a whole number from 1 to 1000'],
    ['JOB_LOG_REPLAY_LIMIT', 'all', 'must be a whole number from 1 to 100000'],
    ['LEFT4ME_WORKSHOP_URL', 'steamcommunity.com', 'must be a URL starting with http:// or https://'],
    ['LEFT4ME_WORKSHOP_DOWNLOADS', '0', 'must be a whole number from 1 to 32'],
  ])('%s=%s', (name, value, sentence) => {
    const reading = () => read({ [name]: value });
    expect(reading).toThrow(WrongSettings);
    expect(reading).toThrow(`These settings are wrong:\n  ${name}: ${sentence}`);
    expect(reading).not.toThrow(/\n.*\n/);
  });
});

describe('takes', () => {
  it.each([
    [
      'DATABASE_URL',
      'postgresql:///left4me?host=/run/postgresql',
      { databaseUrl: expect.stringContaining('///left4me') },
    ],
    ['REDIS_URL', 'unix:/run/redis.sock', { redisUrl: 'unix:/run/redis.sock' }],
    ['LEFT4ME_BIND', '::', { bind: '::' }],
    ['LEFT4ME_BIND', 'box-1.example.org', { bind: 'box-1.example.org' }],
    ['LEFT4ME_BIND', 'localhost', { bind: 'localhost' }],
    [
      'LEFT4ME_TRUSTED_PROXIES',
      'loopback, 10.0.0.0/8,fd00::/8',
      { trustedProxies: ['loopback', '10.0.0.0/8', 'fd00::/8'] },
    ],
    ['LEFT4ME_SERVICE_MANAGER', 'process', { serviceManager: 'process' }],
    ['LEFT4ME_STEAMCMD', '/bin/sh', { steamcmd: '/bin/sh' }],
    ['JOB_WORKER_ENABLED', '1', { workerEnabled: true }],
  ])('%s=%s', (name, value, settings) => {
    expect(read({ [name]: value })).toMatchObject(settings);
  });
});

describe('the role', () => {
  const given = { DATABASE_URL: 'postgres://db/left4me', REDIS_URL: 'redis://cache' };
  const as = (role: Role | null, env: Record<string, string> = {}) => readSettings(env, { root: '/state' }, role);

  it.each([
    [null, {}, { apiEnabled: true, workerEnabled: true }],
    [null, { JOB_WORKER_ENABLED: 'true' }, { apiEnabled: true, workerEnabled: true }],
    [null, { ...given, JOB_WORKER_ENABLED: 'false' }, { apiEnabled: true, workerEnabled: false }],
    ['all', {}, { apiEnabled: true, workerEnabled: true }],
    ['api', given, { apiEnabled: true, workerEnabled: false }],
    ['api', { ...given, JOB_WORKER_ENABLED: 'false' }, { apiEnabled: true, workerEnabled: false }],
    ['worker', given, { apiEnabled: false, workerEnabled: true }],
    ['worker', { ...given, JOB_WORKER_ENABLED: 'true' }, { apiEnabled: false, workerEnabled: true }],
  ] as const)('%s with %j', (role, env, settings) => {
    expect(as(role, env)).toMatchObject(settings);
  });

  it.each([
    ['all', 'false'],
    ['worker', 'false'],
    ['api', 'true'],
  ] as const)('%s contradicts JOB_WORKER_ENABLED=%s', (role, value) => {
    const reading = () => as(role, { ...given, JOB_WORKER_ENABLED: value });
    expect(reading).toThrow(WrongSettings);
    expect(reading).toThrow(`JOB_WORKER_ENABLED: ${value} contradicts --role ${role}`);
  });

  it.each([
    ['api', {}, 'DATABASE_URL and REDIS_URL missing', 'Give both, or leave --role away:'],
    ['worker', {}, 'DATABASE_URL and REDIS_URL missing', 'Give both, or leave --role away:'],
    ['api', { DATABASE_URL: given.DATABASE_URL }, 'REDIS_URL missing', 'Give it, or leave --role away:'],
    ['worker', { REDIS_URL: given.REDIS_URL }, 'DATABASE_URL missing', 'Give it, or leave --role away:'],
    [null, { JOB_WORKER_ENABLED: 'false' }, 'DATABASE_URL and', 'or leave JOB_WORKER_ENABLED=false away:'],
  ] as const)('%s needs services that are not its own: %j', (role, env, missing, remedy) => {
    expect(() => as(role, env)).toThrow(WrongSettings);
    expect(() => as(role, env)).toThrow(missing);
    expect(() => as(role, env)).toThrow(`a process with --role ${role ?? 'api'} needs`);
    expect(() => as(role, env)).toThrow(remedy);
  });
});
