import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ForwardProxy } from './forward-proxy.js';
import { type Ended, Machine } from './machine.js';

const CHECKOUT = join(import.meta.dirname, '../..');
/** Where somebody would have cloned it. */
const SOURCES = '/usr/local/src/left4me';
const STEAMCMD = '/var/lib/left4me/steamcmd';
const PROXY_PORT = 3128;
const CALLERS_CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const NOT_SOURCES = ['node_modules', 'dist', 'coverage', './.git', './.left4me', './.nx'];

/** What an administrator has left in the checkout. */
const FORGOTTEN_FILES = ['.env', '.npmrc', 'apps/api/.env.local', 'id_ed25519'];
export const SECRET = randomUUID();
/** 100 is one processor. */
export const SERVER_CPU_PERCENT = 80;
export const PASSWORD = 'correct horse battery';

/** A booted machine on which deploy/install.sh is run. */
export class Installation {
  private proxy: ForwardProxy | null = null;

  constructor(readonly machine: Machine) {}

  get url(): string {
    return `http://${this.machine.address}:8080`;
  }

  /** The machine reaches Debian's mirror and the registry as this one does, and has a checkout. */
  async prepare(): Promise<void> {
    const { machine } = this;
    this.proxy = await ForwardProxy.listen(machine.gateway, PROXY_PORT);
    const settings = spawnSync('apt-config', ['dump'], { encoding: 'utf8' }).stdout ?? '';
    const checks = settings.split('\n').filter((line) => line.startsWith('Acquire::Check-'));
    const apt = [...checks, `Acquire::http::Proxy "${this.proxyUrl}";`, ''].join('\n');
    await machine.run(['tee', '/etc/apt/apt.conf.d/99caller'], apt);
    if (existsSync(CALLERS_CERTIFICATES)) {
      await machine.run(['tee', '/root/certificates.pem'], readFileSync(CALLERS_CERTIFICATES, 'utf8'));
    }
    await this.copySources();
    for (const name of FORGOTTEN_FILES) {
      await machine.run(['install', '-m', '0600', '/dev/stdin', `${SOURCES}/${name}`], `#${SECRET}\n`);
    }
  }

  async install(...words: string[]): Promise<Ended> {
    const environment = [
      `HTTPS_PROXY=${this.proxyUrl}`,
      'NODE_EXTRA_CA_CERTS=/root/certificates.pem',
      `npm_config_registry=${process.env['MACHINE_REGISTRY'] ?? ''}`,
      'npm_config_prefer_offline=true',
      'LEFT4ME_BIND=0.0.0.0',
      'LEFT4ME_SERVER_MEMORY=300M',
      `LEFT4ME_SERVER_CPU=${SERVER_CPU_PERCENT}%`,
      `LEFT4ME_ADMIN_PASSWORD=${PASSWORD}`,
    ];
    return this.machine.run(['env', ...environment, `${SOURCES}/deploy/install.sh`, ...words]);
  }

  /** A steamcmd that gives the demo runtime's game as Steam would give the real one. */
  async giveSteamcmd(): Promise<void> {
    const setUp = `${SOURCES}/libs/host/test/stand-in-steamcmd/set-up.mjs`;
    await this.machine.get('runuser', '-u', 'left4me', '--', 'node', setUp, STEAMCMD, '{"build":"100"}');
    const setting = `s|^#LEFT4ME_STEAMCMD=.*|LEFT4ME_STEAMCMD=${STEAMCMD}/steamcmd.sh|`;
    await this.machine.get('sed', '--in-place', setting, '/etc/left4me/host.env');
    await this.machine.get('systemctl', 'restart', 'left4me-worker.service');
  }

  /** A change that makes another version of it. */
  async changeSources(): Promise<void> {
    await this.machine.get('sh', '-c', `echo '// changed' >>${SOURCES}/apps/api/src/left4me.ts`);
  }

  async close(): Promise<void> {
    await this.proxy?.close();
  }

  private get proxyUrl(): string {
    return `http://${this.machine.gateway}:${PROXY_PORT}`;
  }

  private async copySources(): Promise<void> {
    const target = join(process.env['MACHINE_FOLDER'] ?? '', 'root', SOURCES);
    await this.machine.get('mkdir', '-p', SOURCES);
    const excluded = NOT_SOURCES.map((name) => `--exclude=${name}`);
    const packed = spawnSync('tar', ['-C', CHECKOUT, ...excluded, '-cf', '-', '.'], { maxBuffer: 256 * 1024 ** 2 });
    const { status, stderr } = spawnSync('tar', ['-C', target, '--no-same-owner', '-xf', '-'], {
      input: packed.stdout,
    });
    if (status !== 0) throw new Error(`the checkout was not copied: ${stderr.toString()}`);
  }
}
