import type { Tone } from '../design/tone';
import type { Job } from '../jobs/schema';
import type { Server, ServerOperation } from './schema';

export interface Described {
  shape: 'on' | 'busy' | 'off' | 'none' | 'bad' | 'unknown';
  tone: Tone;
  text: string;
  detail?: string;
}

/** A server's actual state in a word and a half. */
export function describeState(server: Server): Described {
  switch (server.actualState) {
    case 'running':
      if (server.ready === true) return { shape: 'on', tone: 'good', text: 'Running', detail: 'ready' };
      if (server.ready === false) return { shape: 'on', tone: 'warn', text: 'Running', detail: 'not answering yet' };
      return { shape: 'on', tone: 'good', text: 'Running' };
    case 'starting':
      return { shape: 'busy', tone: 'busy', text: 'Starting' };
    case 'stopping':
      return { shape: 'busy', tone: 'busy', text: 'Stopping' };
    case 'stopped':
      return { shape: 'off', tone: 'idle', text: 'Stopped' };
    case 'failed':
      return { shape: 'bad', tone: 'bad', text: 'Failed' };
    case 'absent':
      return { shape: 'none', tone: 'idle', text: 'Absent', detail: 'not on the host' };
    case 'unknown':
      return { shape: 'unknown', tone: 'warn', text: 'Unknown', detail: 'the host is offline' };
  }
}

/** What the user wants and the host does not do, when no job is at it; null when they agree. */
export function disagreement(server: Server): string | null {
  if (server.job !== null || server.actualState === 'unknown') return null;
  const up = server.actualState === 'running' || server.actualState === 'starting';
  if (server.desiredState === 'running' && !up) return 'should be running';
  if (server.desiredState === 'stopped' && up) return 'should be stopped';
  if (server.desiredState === 'absent' && server.actualState !== 'absent') return 'should be deleted from the host';
  return null;
}

/** What players see: server.cfg is plain ASCII and cannot have a quote within quotes. */
export function nameInGame(title: string, name: string): string {
  const text = title.trim() || name;
  return (/^[\x20-\x7e]+$/.test(text) ? text : name).replaceAll('"', "'");
}

/** Whether one of the servers runs, or one of the jobs that succeeded started one. */
export function hasRun(servers: readonly Server[], succeeded: readonly Job[]): boolean {
  const runs = servers.some((server) => server.actualState === 'running' || server.readyAt !== null);
  return runs || succeeded.some((job) => job.operation === 'start' || job.operation === 'restart');
}

/** The operations that make sense now, the most likely one first. Others are not offered. */
export function sensibleOperations(server: Server): ServerOperation[] {
  switch (server.actualState) {
    case 'running':
    case 'starting':
      return ['stop', 'restart', 'initialize', 'delete'];
    case 'stopping':
      return ['start', 'stop', 'initialize', 'delete'];
    case 'stopped':
    case 'failed':
      return ['start', 'initialize', 'delete'];
    case 'absent':
      return ['start', 'initialize'];
    case 'unknown':
      return ['start', 'stop', 'restart', 'initialize', 'delete'];
  }
}

/** The panel's "start failed: why" as a heading and a sentence; what a server died of without a job has no operation in front. */
export function failureOf(lastError: string): { what: string; why: string } {
  const [, operation, reason] = /^([a-z-]+) failed: (.*)$/s.exec(lastError) ?? [];
  if (operation === undefined || reason === undefined) return { what: 'It failed', why: lastError };
  return { what: `The last ${operation} failed`, why: reason };
}
