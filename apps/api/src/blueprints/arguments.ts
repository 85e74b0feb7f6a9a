import type { FieldError } from '../problems/problems.js';
import { checkTemplate, variablesIn } from './template.js';

export const MAX_ARGUMENTS = 128;
export const MAX_ARGUMENT_LENGTH = 256;

const always = 'is always set by the panel itself';
const install = "is the panel's: the game is installed and updated by the host's install job";
const foreignCode = 'is not allowed: it would run something else than the server';
const address = "is set by the panel: servers listen on all of the host's addresses";

/** Options that something else owns, or that run code: who owns them. Lower case, as srcds compares them without case. */
const refused: ReadonlyMap<string, string> = new Map([
  ['-game', always],
  ['-ip', address],
  ['+ip', address],
  ['-port', "is set by the server's port"],
  ['+hostport', "is set by the server's port"],
  ['-norestart', always],
  ['-strictportbind', always],
  ['-autoupdate', install],
  ['-steam_dir', install],
  ['-steamcmd_script', install],
  ['-pidfile', always],
  ['-gdb', foreignCode],
  ['-debug', foreignCode],
  ['-binary', foreignCode],
  ['+servercfgfile', "is the panel's: it runs server.cfg, which is the blueprint's config"],
  ['+rcon_password', "is the panel's: every server has its own rconPassword ({{rconPassword}} in config)"],
]);

/** Checks srcds arguments; each is one word of the command line. Paths are `arguments.<index>`. */
export function checkArguments(words: readonly string[]): FieldError[] {
  if (words.length > MAX_ARGUMENTS) return [{ path: 'arguments', message: `at most ${MAX_ARGUMENTS} arguments` }];
  return words.flatMap((word, index) => {
    const message = problemOf(word);
    return message === null ? [] : [{ path: `arguments.${index}`, message }];
  });
}

function problemOf(word: string): string | null {
  if (word === '') return 'is empty';
  if (word.length > MAX_ARGUMENT_LENGTH) return `has more than ${MAX_ARGUMENT_LENGTH} characters`;
  if (/[\0\r\n]/.test(word)) return 'must not contain a line break or NUL';
  const option = optionOf(word);
  const owner = refused.get(option);
  if (owner !== undefined) return `${option} ${owner}`;
  // The spaces inside {{ name }} are the template's, not the word's.
  const plain = word.replaceAll(/\{\{[^{}]*\}\}/g, '');
  if (/\s/.test(plain)) return 'must be one word: give each word its own entry';
  if (/[^\x21-\x7e]/.test(plain)) return 'must be plain ASCII';
  if (/[;"'`\\]/.test(plain))
    return 'must not contain quotes, backslashes or a semicolon: the console would split it there';
  if (word.startsWith('@')) return 'must not begin with @: srcds would read more arguments from a file';
  const used = variablesIn(word);
  const secret = used.find((name) => name === 'rconPassword' || name.startsWith('secret.'));
  if (secret !== undefined)
    return `{{${secret}}} is a secret, and arguments are visible to every user of the host: use it in server.cfg`;
  const [error] = checkTemplate(word, new Set());
  if (error) return `column ${error.column}: ${error.message}`;
  if (used.length > 0 && /^[+-]/.test(word))
    return "an option's name must not contain a variable: give its value an entry of its own";
  return null;
}

/** The option a word is to srcds, whatever its case, the quotes around it or the value glued to it: `"-Port=1"` is `-port`. */
function optionOf(word: string): string {
  const bare = word
    .replaceAll(/["'`\\]/g, '')
    .trim()
    .toLowerCase();
  return /^[+-]+[^\s=:;,]*/.exec(bare)?.[0].replace(/^([+-])[+-]*/, '$1') ?? bare;
}
