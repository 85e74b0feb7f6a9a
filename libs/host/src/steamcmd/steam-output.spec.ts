import { describe, expect, it } from 'vitest';
import { failureOf, plainLine, progressOf, SteamOutput } from './steam-output.js';

describe('a line of steamcmd', () => {
  it.each([
    [' Update state (0x61) downloading, progress: 42.10 (3949512 / 9381000)', 42.1, 'downloading'],
    [' Update state (0x3) reconfiguring, progress: 0.00 (0 / 0)', 0, 'reconfiguring'],
    [' Update state (0x5) verifying install, progress: 19,42 (1 / 2)', 19.42, 'verifying install'],
    [' Update state (0x81) verifying update, progress: 100.00 (2 / 2)', 100, 'verifying update'],
    ['[  0%] Downloading update (1,992 of 54,020 KB)...', null, 'steamcmd updates itself'],
    ['[----] Extracting package...', null, 'steamcmd updates itself'],
  ])('tells progress: %s', (line, percent, doing) => {
    expect(progressOf(line)).toEqual({ percent, doing });
  });

  it.each([
    "Success! App '222860' fully installed.",
    '[----] Verifying installation...',
    'Waiting for user info...OK',
    'dlmopen steamservice.so failed: steamservice.so: cannot open shared object file: No such file or directory',
    'IPC function call IClientUtils::GetSteamRealm took too long: 52 msec',
    "WARNING: setlocale('en_US.UTF-8') failed, using locale: 'C.UTF-8'.",
  ])('tells neither progress nor a failure: %s', (line) => {
    expect([progressOf(line), failureOf(line)]).toEqual([null, null]);
  });

  it.each([
    ["ERROR! Failed to install app '222860' (No subscription)", 'no-subscription'],
    ["ERROR! Failed to install app '222860' (Invalid platform)", 'invalid-platform'],
    ["ERROR! Failed to install app '222860' (Missing configuration)", 'missing-configuration'],
    ["ERROR! Failed to install app '222860' (Disk write failure)", 'disk-write'],
    ["Error! App '222860' state is 0x202 after update job.", 'disk-full'],
    ["Error! App '222860' state is 0x212 after update job.", 'disk-full'],
    ["Error! App '222860' state is 0x606 after update job.", 'disk-write'],
    ['Error! State is 0x402 after update job.', 'network'],
    ["Error! App '222860' state is 0x6 after update job.", 'network'],
    ["Error! App '222860' state is 0x626 after update job.", 'failed'],
    ['FAILED (No Connection)', 'network'],
    ['Connecting anonymously to Steam Public...FAILED (Rate Limit Exceeded)', 'rate-limit'],
    ['[----] !!! Fatal Error: Steam needs to be online to update.', 'network'],
    [
      '/opt/steamcmd/steamcmd.sh: line 37: /opt/steamcmd/linux32/steamcmd: No such file or directory',
      'libraries-missing',
    ],
    ['./steamcmd.sh: line 39: /s/linux32/steamcmd: cannot execute: required file not found', 'libraries-missing'],
    [
      'steamcmd: error while loading shared libraries: libstdc++.so.6: cannot open shared object file',
      'libraries-missing',
    ],
    ['./steamcmd.sh: line 29: /s/linux32/steamcmd: cannot execute binary file: Exec format error', 'no-32-bit'],
  ])('tells a failure: %s', (line, reason) => {
    expect(failureOf(line)).toEqual({ reason, said: line });
  });

  it('is read without what is for a terminal', () => {
    expect(plainLine('\u001B[1mWaiting for user info...OK\u001B[0m  ')).toBe('Waiting for user info...OK');
  });
});

describe('the lines together', () => {
  const verdict = (...lines: string[]): [boolean, string | null] => {
    const output = new SteamOutput();
    for (const line of lines) output.hear(line);
    return [output.succeeded, output.failure?.reason ?? null];
  };
  const success = "Success! App '222860' fully installed.";
  const missing = "ERROR! Failed to install app '222860' (Missing configuration)";
  const invalid = "ERROR! Failed to install app '222860' (Invalid platform)";

  it('are judged by the last app_update, and by what failed first since a success', () => {
    expect(verdict()).toEqual([false, null]);
    expect(verdict(success)).toEqual([true, null]);
    expect(verdict(missing, success)).toEqual([true, null]);
    expect(verdict(success, invalid)).toEqual([false, 'invalid-platform']);
    expect(verdict(missing, invalid)).toEqual([false, 'missing-configuration']);
    expect(verdict(missing, success, invalid)).toEqual([false, 'invalid-platform']);
  });
});
