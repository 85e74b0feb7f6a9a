import { CommandFailed } from '../errors.js';

/** Why steamcmd did not get the game. */
export type SteamFailure =
  | 'program-missing'
  | 'libraries-missing'
  | 'no-32-bit'
  | 'busy'
  | 'silent'
  | 'disk-full'
  | 'disk-write'
  | 'no-subscription'
  | 'invalid-platform'
  | 'missing-configuration'
  | 'network'
  | 'rate-limit'
  | 'incomplete'
  | 'failed';

/** What is wrong, and what to do about it. */
const SENTENCES: Record<SteamFailure, string> = {
  'program-missing':
    'steamcmd cannot be run: see that LEFT4ME_STEAMCMD names an executable file and what it needs is there',
  'libraries-missing':
    'the 32-bit libraries that steamcmd and the game need are missing: install lib32gcc-s1 and lib32stdc++6 (on Debian also ' +
    '"dpkg --add-architecture i386" and libc6:i386), then install again',
  'no-32-bit':
    "this machine's kernel runs no 32-bit programs, which steamcmd and the game are: use another kernel or machine",
  busy: 'another steamcmd uses the Steam home of this host (l4d2ctl install?): wait until it has ended, then install again',
  silent:
    'steamcmd said nothing for too long and was stopped: look whether Steam is up (steamstat.us), then install again',
  'disk-full': 'the disk is full: free some space in LEFT4ME_ROOT, then install again',
  'disk-write':
    'Steam could not write to the disk: see that LEFT4ME_ROOT belongs to the service user and its disk is healthy',
  'no-subscription':
    'Steam does not give this app to anonymous users (No subscription): Valve has changed that before; look for news of app 222860',
  'invalid-platform':
    'Steam refused the platform (Invalid platform), although the Windows files were asked for first: Valve has changed that before; ' +
    'look for news of app 222860',
  'missing-configuration':
    'Steam did not send the configuration of the game (Missing configuration), not even when asked again: install again in some minutes',
  network:
    'Steam could not be reached: check the network connection of this host and whether Steam is up, then install again',
  'rate-limit':
    'Steam refuses for now because of too many logins from this address: wait half an hour, then install again',
  incomplete: 'Steam said it had installed the game, but it is not all there: install again',
  failed: 'steamcmd failed: its last lines in the job log say more',
};

/**
 * steamcmd did not get the game; nothing was published. `code` is `steam-<reason>`, `said` the line of steamcmd that told, `exitCode`
 * never 0, though steamcmd's own often is.
 */
export class SteamFailed extends CommandFailed {
  readonly reason: SteamFailure;
  readonly said: string | null;

  constructor(
    reason: SteamFailure,
    { said = null, exitCode = 1, more }: { said?: string | null; exitCode?: number; more?: string } = {},
  ) {
    const sentence = SENTENCES[reason];
    const parts = [
      capital(sentence),
      ...(more === undefined ? [] : [more]),
      ...(said === null ? [] : [`It said: ${said}`]),
    ];
    super(exitCode === 0 ? 1 : exitCode, ['steamcmd'], `${parts.join('. ')}.`.replace(/\.\.$/, '.'), `steam-${reason}`);
    this.reason = reason;
    this.said = said;
  }
}

function capital(sentence: string): string {
  return sentence.startsWith('steamcmd') ? sentence : sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
