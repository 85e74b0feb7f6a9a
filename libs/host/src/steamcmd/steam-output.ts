import type { SteamFailure } from './steam-failed.js';

/** A line that says how far steamcmd is. */
export interface SteamProgress {
  /** 0–100; null for its update of itself, which has no end that it tells. */
  percent: number | null;
  /** Like `downloading`. */
  doing: string;
}

/** A failure and the line that told it. */
export interface SteamVerdict {
  reason: SteamFailure;
  said: string;
}

/** Colours and the like: a terminal gets them. */
const ESCAPES = /\u001B(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])/g;
/** ` Update state (0x61) downloading, progress: 42.10 (… / …)`; some languages write 42,10. */
const PROGRESS = /Update state \(0x[0-9a-f]+\) ([a-z][a-z ]*), progress: (\d{1,3})[.,](\d+)/i;
const SELF_UPDATE = /^\[[ \d%-]{4}\] (Downloading update|Extracting package|Installing update|Update complete)/;
const SUCCESS = /^Success! App '\d+'/;

/*
 * The first that matches counts. Seen in public logs of steamcmd, but for: 0x606 (a table of LinuxGSM's), `Disk write failure` and
 * `Not enough disk space` (Steam's own words for UpdateResult, from memory), `Timeout`, `Service Unavailable` and the rate limit.
 */
const FAILURES: readonly [RegExp, SteamFailure][] = [
  [/linux32\/steamcmd: (No such file|cannot execute: required file not found)/i, 'libraries-missing'],
  [/error while loading shared libraries/i, 'libraries-missing'],
  [/Exec format error/i, 'no-32-bit'],
  [/No subscription/i, 'no-subscription'],
  [/Invalid platform/i, 'invalid-platform'],
  [/Missing configuration/i, 'missing-configuration'],
  [/Rate Limit Exceeded/i, 'rate-limit'],
  [/state is 0x2[01]2\b/i, 'disk-full'],
  [/Not enough disk space|No space left on device/i, 'disk-full'],
  [/state is 0x606\b|Disk write failure/i, 'disk-write'],
  [/state is 0x(6|402|602)\b/i, 'network'],
  [/FAILED \((No Connection|Timeout|Service Unavailable)|(No connection|Timeout)\)/i, 'network'],
  [/needs to be online|not online or not logged in/i, 'network'],
  [/^(FATAL ERROR|ERROR!|Error!|FAILED\b)|FAILED \(|!!! Fatal Error/, 'failed'],
];

/** Of an hour's download; whoever looks into them looks for something at their beginning. */
const MAX_LINES = 10_000;

/** What steamcmd is told to get from now on; null for any other line. */
export function platformOf(line: string): string | null {
  return /^"@sSteamCmdForcePlatformType" = "(\w+)"$/.exec(line)?.[1] ?? null;
}

/** The text of a line without what is meant for a terminal. */
export function plainLine(line: string): string {
  return line.replaceAll(ESCAPES, '').trimEnd();
}

/** Null for a line that does not tell progress. */
export function progressOf(line: string): SteamProgress | null {
  const [, doing, whole, part] = PROGRESS.exec(line) ?? [];
  if (doing !== undefined) return { percent: Math.min(100, Number(`${whole}.${part}`)), doing };
  const [, updating] = SELF_UPDATE.exec(line) ?? [];
  return updating === undefined ? null : { percent: null, doing: 'steamcmd updates itself' };
}

/** Null for a line that does not tell a failure. */
export function failureOf(line: string): SteamVerdict | null {
  const text = line.trim();
  const found = FAILURES.find(([pattern]) => pattern.test(text));
  return found === undefined ? null : { reason: found[1], said: text };
}

/**
 * What a run of steamcmd came to, by its lines: its exit code says 0 also when it failed. Each `app_update` gives a verdict, the last
 * one counts; what failed first is the cause of what fails after it.
 */
export class SteamOutput {
  readonly lines: string[] = [];
  failure: SteamVerdict | null = null;
  succeeded = false;
  /** The Linux files, which come last, are there. */
  finished = false;
  private platform: string | null = null;

  hear(line: string): void {
    if (this.lines.length < MAX_LINES) this.lines.push(line);
    this.platform = platformOf(line) ?? this.platform;
    if (SUCCESS.test(line)) {
      this.finished = this.platform === 'linux';
      this.succeeded = true;
      this.failure = null;
      return;
    }
    const failure = failureOf(line);
    if (failure === null) return;
    this.succeeded = false;
    this.finished = false;
    this.failure ??= failure;
  }
}
