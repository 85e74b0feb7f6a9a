import { access, constants, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CommandFailed, Interrupted, TimedOut } from '../errors.js';
import type { Run } from '../host.js';
import { hasCode } from '../overlay/durable.js';
import type { CommandRunner } from '../process/command-runner.js';
import { LOCK_BUSY, PROGRAMS } from '../programs.js';
import { APP_ID, parseAppInfo, type PublicBuild } from './app-info.js';
import { SteamFailed } from './steam-failed.js';
import { plainLine, platformOf, progressOf, SteamOutput } from './steam-output.js';

/*
 * The command lines are constants, their parameters come from the environment. Anonymous users are refused the Linux files unless the
 * Windows ones were asked for first, in the same run.
 */
const PROGRAM = 'exec setpriv --pdeathsig KILL "$STEAMCMD"';
const INSTALL =
  `${PROGRAM} +@sSteamCmdForcePlatformType windows +force_install_dir "$STEAM_FOLDER" +login anonymous +app_info_update 1 ` +
  `+app_update ${APP_ID} +@sSteamCmdForcePlatformType linux +app_update ${APP_ID} validate +quit`;
// Asked for twice: it prints what it has, and gets the rest meanwhile.
const APP_INFO =
  `${PROGRAM} +login anonymous +app_info_update 1 +app_info_request ${APP_ID} +login anonymous ` +
  `+app_info_print ${APP_ID} +quit`;

/** Where steamcmd keeps what it knows of apps, by the way it was installed. */
const APP_INFO_CACHES = ['.steam', '.steam/steam', 'Steam', '.local/share/Steam'].map((folder) =>
  join(folder, 'appcache', 'appinfo.vdf'),
);

export interface SteamcmdOptions {
  /** Absolute path of steamcmd. */
  program: string;
  /** Its HOME, kept between runs: an empty one gives `Missing configuration` now and then. */
  home: string;
  /** A whole install. */
  installLimitMs?: number;
  /** Being asked for the newest build. */
  askLimitMs?: number;
  /** For this long it may say nothing. */
  silenceLimitMs?: number;
}

const TRIES = 3;

/** Runs steamcmd, on a terminal of its own: without one it holds its lines back, or loses them. */
export class Steamcmd {
  readonly program: string;
  readonly home: string;

  constructor(
    private readonly options: SteamcmdOptions,
    private readonly commands: CommandRunner,
  ) {
    this.program = options.program;
    this.home = options.home;
  }

  /**
   * Installs or updates the game in `folder`, and validates it. Its lines and its progress go to `run`. Throws `SteamFailed`,
   * `Interrupted`, `TimedOut`.
   */
  async install(folder: string, run: Run): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const output = new SteamOutput();
      const limitMs = this.options.installLimitMs ?? 6 * 3600_000;
      const exitCode = await this.run(INSTALL, { STEAM_FOLDER: folder }, output, limitMs, run);
      if (output.failure?.reason === 'missing-configuration' && attempt < TRIES) {
        const again = `Steam did not send the configuration of the game, as it happens: trying again (${attempt + 1} of ${TRIES}).`;
        await run.output.write('stderr', again);
        continue;
      }
      if (output.failure !== null)
        throw new SteamFailed(output.failure.reason, { said: output.failure.said, exitCode });
      // It is known to crash, or to end with another code, when all is done: whether that is so the files tell.
      if (!output.succeeded || (exitCode !== 0 && !output.finished))
        throw new SteamFailed('failed', { said: lastWords(output), exitCode });
      if (exitCode !== 0) {
        const ended = `steamcmd ended with code ${exitCode} after it had got everything: looking at what it made.`;
        await run.output.write('stderr', ended);
      }
      return;
    }
  }

  /** The newest build, as Steam says now; null when it does not say. Throws like `install`. */
  async newest(run: Run): Promise<PublicBuild | null> {
    for (const cache of APP_INFO_CACHES) await rm(join(this.home, cache), { force: true });
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const output = new SteamOutput();
      const exitCode = await this.run(APP_INFO, {}, output, this.options.askLimitMs ?? 5 * 60_000, run);
      const told = parseAppInfo(output.lines);
      if (told !== null) return told;
      if (output.failure !== null)
        throw new SteamFailed(output.failure.reason, { said: output.failure.said, exitCode });
    }
    return null;
  }

  /** Throws `SteamFailed` (program-missing) unless it can be executed. */
  async require(): Promise<void> {
    try {
      await access(this.program, constants.X_OK);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new SteamFailed('program-missing', { said: error.message });
    }
  }

  /** Resolves with the exit code, whatever it is. */
  private async run(
    line: string,
    env: Record<string, string>,
    output: SteamOutput,
    timeLimitMs: number,
    run: Run,
  ): Promise<number> {
    await this.require();
    await mkdir(this.home, { recursive: true, mode: 0o700 });
    const silence = new Silence(this.options.silenceLimitMs ?? 30 * 60_000, run.signal);
    const script = ['script', '--quiet', '--return', '--flush', '--echo', 'never', '--command', line, '/dev/null'];
    const lock = join(dirname(this.home), 'steam.lock');
    try {
      await this.commands.run(
        {
          command: ['/bin/sh', PROGRAMS.withLock, lock, ...script],
          cwd: this.home,
          env: { ...BASE_ENV, HOME: this.home, STEAMCMD: this.program, ...env },
          timeLimitMs,
        },
        { signal: silence.signal, output: listening(output, silence, run) },
      );
      return 0;
    } catch (error) {
      if (error instanceof Interrupted && silence.tooLong) throw new SteamFailed('silent', { said: lastWords(output) });
      if (error instanceof Interrupted) throw new Interrupted('steamcmd');
      if (error instanceof TimedOut) throw new TimedOut('steamcmd', timeLimitMs);
      if (!(error instanceof CommandFailed)) throw error;
      await refuseUnusable(error.exitCode, output);
      return error.exitCode;
    } finally {
      silence.end();
    }
  }
}

const BASE_ENV = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', SHELL: '/bin/sh', TERM: 'dumb' };

/** Aborts when nothing was said for too long, or when the caller's signal does. */
class Silence {
  tooLong = false;
  private readonly abort = new AbortController();
  private readonly stop = (): void => this.abort.abort();
  private timer: NodeJS.Timeout;

  constructor(
    private readonly limitMs: number,
    private readonly outer: AbortSignal,
  ) {
    if (outer.aborted) this.stop();
    outer.addEventListener('abort', this.stop, { once: true });
    this.timer = this.wait();
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  broken(): void {
    clearTimeout(this.timer);
    this.timer = this.wait();
  }

  end(): void {
    clearTimeout(this.timer);
    this.outer.removeEventListener('abort', this.stop);
  }

  private wait(): NodeJS.Timeout {
    return setTimeout(() => {
      this.tooLong = true;
      this.stop();
    }, this.limitMs);
  }
}

/** Passes the lines on, listens to them, and tells the progress in them. */
function listening(heard: SteamOutput, silence: Silence, { output }: Run): Run['output'] {
  let step = '';
  return {
    write: async (stream, line) => {
      silence.broken();
      const text = plainLine(line);
      heard.hear(text);
      const platform = platformOf(text);
      if (platform !== null) step = platform === 'windows' ? ' (1 of 2: Windows files)' : ' (2 of 2: Linux files)';
      const progress = progressOf(text);
      if (progress !== null) output.progress(progress.percent, `${progress.doing}${step}`);
      if (text !== '') await output.write(stream, text);
    },
    progress: (percent, text) => output.progress(percent, text),
  };
}

/** Throws where steamcmd did not even begin. */
async function refuseUnusable(exitCode: number, { lines, failure }: SteamOutput): Promise<void> {
  if (exitCode === LOCK_BUSY && lines.length === 0) throw new SteamFailed('busy');
  const said = lines.findLast((line) => line.trim() !== '')?.trim() ?? null;
  if (failure === null && (exitCode === 126 || exitCode === 127))
    throw new SteamFailed('program-missing', { said, exitCode });
  if (failure?.reason !== 'libraries-missing') return;
  // Its start script says the same of a 32-bit program that is not there as of one whose loader is not.
  const [program] = /\/\S*linux32\/steamcmd(?=:)/.exec(failure.said) ?? [];
  if (program !== undefined && !(await exists(program))) {
    throw new SteamFailed('program-missing', { said: failure.said, exitCode });
  }
}

function lastWords(output: SteamOutput): string | null {
  return output.lines.findLast((line) => line.trim() !== '')?.trim() ?? null;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
