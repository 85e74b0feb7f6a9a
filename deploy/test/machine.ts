import { spawn } from 'node:child_process';
import { join } from 'node:path';

const SCRIPT = join(import.meta.dirname, 'machine.sh');

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** The booted Debian that machine.sh keeps; which one, its environment tells (scripts/system.mjs). */
export class Machine {
  readonly address = `${required('MACHINE_NET')}.2`;
  readonly gateway = `${required('MACHINE_NET')}.1`;

  boot(): Promise<void> {
    return this.must('boot');
  }

  reboot(): Promise<void> {
    return this.must('reboot');
  }

  /** Kills everything in it at once, and boots again. */
  cutPower(): Promise<void> {
    return this.must('cut');
  }

  /** A command as root inside. */
  run(command: readonly string[], input = ''): Promise<Ended> {
    return end('run', command, input);
  }

  /** What a command printed that must succeed. */
  async get(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(command);
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Properties of a unit, by their names. */
  async unit(name: string, ...properties: string[]): Promise<Record<string, string>> {
    const text = await this.get('systemctl', 'show', `--property=${properties.join(',')}`, name);
    return Object.fromEntries(text.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]));
  }

  private async must(command: string): Promise<void> {
    const { code, stderr } = await end(command, [], '');
    if (code !== 0) throw new Error(`machine.sh ${command}: ${stderr}`);
  }
}

function end(command: string, words: readonly string[], input: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(SCRIPT, [command, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => undefined); // it need not read it
    child.stdin.end(input);
    child.once('error', reject);
    // Not `exit`: what it printed may not have been read yet. What it leaves running (the machine) has a log of its own.
    child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing: run this by npm run test:system`);
  return value;
}
