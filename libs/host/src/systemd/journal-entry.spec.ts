import { describe, expect, it } from 'vitest';
import { parseEntry } from './journal-entry.js';

const CURSOR =
  's=297cf8faf55a4821beb4fcc607b6303d;i=5d;b=efc84de31dee4fae97a77574f96ff290;m=56a4c4bdf;t=660d4b421d50c;x=b3f0c7a5965b2fdc';

function entry(fields: Record<string, unknown>): string {
  return JSON.stringify({ __CURSOR: CURSOR, __REALTIME_TIMESTAMP: '1795316531713292', ...fields });
}

const OWN_UID = String(process.geteuid?.());

describe('an entry of the journal', () => {
  it('is a line of the server whose unit printed it', () => {
    const unit = 'left4me-server@one.service';
    const text = entry({ _SYSTEMD_UNIT: unit, _PID: '7508', PRIORITY: '6', MESSAGE: 'Server is hibernating' });
    expect(parseEntry(text)).toEqual({
      server: 'one',
      cursor: CURSOR,
      journal: '297cf8faf55a4821beb4fcc607b6303d',
      number: 0x5d,
      stream: 'stdout',
      line: 'Server is hibernating',
      at: '2026-11-22T03:02:11.713Z',
      event: false,
    });
  });

  it('is a line of the server it is marked with, when its process was gone before journald looked for its unit', () => {
    const fields = { _UID: OWN_UID, SYSLOG_IDENTIFIER: 'left4me-server@one', _PID: '9', PRIORITY: '4', MESSAGE: 'oh' };
    expect(parseEntry(entry(fields))).toMatchObject({ server: 'one', stream: 'stderr', line: 'oh', event: false });
    expect(parseEntry(entry({ ...fields, _SYSTEMD_UNIT: 'left4me-worker.service' }))).toBeNull();
  });

  it('is of the standard error by its priority', () => {
    const text = entry({ _SYSTEMD_UNIT: 'left4me-server@one.service', _PID: '9', PRIORITY: '4', MESSAGE: 'oh' });
    expect(parseEntry(text)).toMatchObject({ stream: 'stderr', line: 'oh', event: false });
  });

  it.each([
    ['Started left4me-server@a-1.service.', '6', 'stdout'],
    ['left4me-server@a-1.service: Scheduled restart job, restart counter is at 1.', '6', 'stdout'],
    ["left4me-server@a-1.service: Failed with result 'exit-code'.", '4', 'stderr'],
    ['Failed to start left4me-server@a-1.service.', '3', 'stderr'],
  ])('is an event when systemd itself speaks about the unit, of the standard error by its priority: %s', (...said) => {
    const [message, priority, stream] = said;
    const of = { _SYSTEMD_UNIT: 'init.scope', UNIT: 'left4me-server@a-1.service', _PID: '1' };
    const parsed = parseEntry(entry({ ...of, PRIORITY: priority, MESSAGE: message }));
    expect(parsed).toMatchObject({ server: 'a-1', stream, line: `systemd: ${message}`, event: true });
  });

  it.each([
    [
      'somebody else who calls himself a server',
      { _UID: '12345678', SYSLOG_IDENTIFIER: 'left4me-server@one', _PID: '4', MESSAGE: 'hello' },
    ],
    ['the worker', { _UID: OWN_UID, SYSLOG_IDENTIFIER: 'left4me-worker', _PID: '4', MESSAGE: 'hello' }],
    ['another unit', { _SYSTEMD_UNIT: 'ssh.service', _PID: '4', MESSAGE: 'hello' }],
    ['systemd about another unit', { _SYSTEMD_UNIT: 'init.scope', UNIT: 'ssh.service', _PID: '1', MESSAGE: 'Started' }],
    ['a name that is none', { _SYSTEMD_UNIT: 'left4me-server@../x.service', _PID: '4', MESSAGE: 'hello' }],
    [
      'a server that claims to be systemd',
      { _SYSTEMD_UNIT: 'ssh.service', UNIT: 'left4me-server@one.service', _PID: '4' },
    ],
  ])('of %s is nothing', (_, fields) => {
    expect(parseEntry(entry(fields))).toBeNull();
  });

  it('that is not UTF-8 comes as bytes, one too long to show as null', () => {
    const unit = { _SYSTEMD_UNIT: 'left4me-server@one.service', _PID: '4' };
    expect(parseEntry(entry({ ...unit, MESSAGE: [72, 0xff, 105] }))?.line).toBe('H�i');
    expect(parseEntry(entry({ ...unit, MESSAGE: null }))?.line).toBe('');
  });
});
