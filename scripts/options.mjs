// The options of `npm run <script> -- …`, read before anything is installed or built. Node's own modules only.
import { parseArgs } from 'node:util';

/** As usual for a command line that makes no sense; what goes wrong later is 1. */
const USAGE = 2;

/**
 * Explains the options and ends where --help is asked for; ends with one line that names what there is where one is wrong.
 * @param script its name in package.json
 * @param about what it does, in lines
 * @param options by name: `value` (what stands for it in the help), `about`, and either `choices` or a `pattern` with what it `must` be;
 *   `multiple` as in parseArgs
 * @returns the values that were given, by name
 */
export function readOptions(script, about, options) {
  const help = { about: 'this text', type: 'boolean' };
  const known = { ...options, help };
  const values = parse(known);
  if (values.help) {
    console.log(`Usage: npm run ${script} -- [options]\n\n${about}\n\nOptions:\n${linesOf(known)}`);
    process.exit(0);
  }
  for (const [name, { choices, pattern, must }] of Object.entries(options)) {
    for (const value of [values[name] ?? []].flat()) {
      if (choices && !choices.includes(value)) refuse(`--${name} must be one of ${choices.join(', ')}, not ${value}.`);
      if (pattern && !pattern.test(value)) refuse(`--${name} must be ${must}, not ${value}.`);
    }
  }
  return values;
}

function parse(known) {
  const options = Object.entries(known).map(([name, { type = 'string', multiple = false }]) => [
    name,
    { type, multiple },
  ]);
  try {
    return parseArgs({ options: Object.fromEntries(options) }).values;
  } catch (error) {
    const [first] = error.message.split('. ');
    const names = Object.keys(known).map((name) => `--${name}`);
    return refuse(`${first.replace(/\.$/, '')}. Known: ${names.join(' ')}.`);
  }
}

function refuse(sentence) {
  console.error(sentence);
  process.exit(USAGE);
}

function linesOf(known) {
  const left = Object.entries(known).map(([name, { value }]) => `  --${name}${value ? ` ${value}` : ''}`);
  const width = Math.max(...left.map(({ length }) => length)) + 2;
  return Object.values(known)
    .map(({ about }, index) => left[index].padEnd(width) + about)
    .join('\n');
}
