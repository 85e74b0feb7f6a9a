import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Run } from '../../src/index.js';
import { CommandRecords } from '../../src/process/command-records.js';
import { CommandRunner } from '../../src/process/command-runner.js';
import { Builds } from '../../src/runtime/builds.js';
import { BubblewrapSandbox } from '../../src/scripts/bubblewrap.js';
import { type Network, NETWORK } from '../../src/scripts/network.js';
import { ScriptBuilds } from '../../src/scripts/script-builds.js';
import { SCRIPT_LIMITS, type ScriptLimits } from '../../src/scripts/script-limits.js';
import { bubblewrap } from './bubblewrap.js';
import { installScript, makeRoot, recordingRun } from './fixture.js';

/** A public address (of example.com, once), to which the small internet leads. */
export const PUBLIC = '93.184.215.14';

/** What the small internet's web server says to a request. */
export type Respond = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const echo: Respond = ({ method, url }, response, body) => response.end(`${method} ${url} ${body}\n`);

/** An internet of one web server, which has every public address; names are what the test says. */
export async function smallInternet(
  names: Record<string, string[]> = {},
  respond = echo,
): Promise<Network & { asked: string[] }> {
  const asked: string[] = [];
  const server: Server = createServer((request: IncomingMessage, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      asked.push(`${request.method} ${request.headers.host} ${request.url}`);
      respond(request, response, Buffer.concat(parts).toString());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const resolve = (name: string): Promise<string[]> => {
    const found = names[name];
    return found ? Promise.resolve(found) : Promise.reject(new Error(`getaddrinfo ENOTFOUND ${name}`));
  };
  return {
    asked,
    own: NETWORK.own,
    connect: () => connect(port, '127.0.0.1'),
    lookUp: resolve,
    resolve,
  };
}

export interface Scripts {
  root: string;
  builds: ScriptBuilds;
  said: string[];
  /** Runs a script of overlay 7; resolves with what it printed, left4me's own lines aside. */
  run: (script: string, options?: { signal?: AbortSignal; refuse?: string[] }) => Promise<string[]>;
}

/** Scripts in bubblewrap, in a folder with a small game. */
export async function openScripts(limits: Partial<ScriptLimits> = {}, network: Network = NETWORK): Promise<Scripts> {
  const root = await makeRoot();
  await installScript(root, '#!/bin/sh\n');
  const commands = new CommandRunner(true, new CommandRecords(`${root}/cache/commands`));
  const sandbox = new BubblewrapSandbox(commands, [await bubblewrap()]);
  const bounded = { ...SCRIPT_LIMITS, reserveBytes: 0, ...limits };
  const builds = new ScriptBuilds(root, new Builds(root), sandbox, bounded, network);
  const said: string[] = [];
  const run: Scripts['run'] = async (script, { signal, refuse = [] } = {}) => {
    const { run: recording, said: lines } = recordingRun(signal);
    const output: Run['output'] = {
      progress: () => undefined,
      write: (stream, line) => {
        said.push(line);
        return recording.output.write(stream, line);
      },
    };
    await builds.build({ overlay: 7, script, refuse }, { signal: recording.signal, output });
    return lines.filter((line) => !line.startsWith('left4me: '));
  };
  return { root, builds, said, run };
}
