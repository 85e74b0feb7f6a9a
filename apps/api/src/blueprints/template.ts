/** What a blueprint's texts may say instead of a fixed value, so that one blueprint serves many servers. */
export const variables = [
  { name: 'name', description: "The server's name, as in its address in the console." },
  {
    name: 'title',
    description: "The server's title. Where only ASCII is possible, a title with other characters is the name.",
  },
  { name: 'port', description: 'The port players connect to (UDP), also RCON (TCP).' },
  { name: 'tvPort', description: 'A port for SourceTV that no other server of the host gets.' },
  { name: 'rconPassword', description: "The server's RCON password. Not allowed in arguments." },
] as const;
export type VariableName = (typeof variables)[number]['name'];
export interface Variables extends Record<VariableName, string> {
  /** By name; of the blueprint's owner. */
  secrets: ReadonlyMap<string, string>;
}

/** Where a template is wrong; line and column count from 1. */
export interface TemplateError {
  line: number;
  column: number;
  message: string;
}

const names = new Set<string>(variables.map((variable) => variable.name));
const isVariable = (name: string): name is VariableName => names.has(name);
/** What a secret is called, by `{{secret.<name>}}`. */
export const SECRET_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const SECRET = 'secret.';
const reference = /\{\{([^{}\r\n]*)\}\}/g;

/** A piece of a template line: text as it stands, or a variable. */
type Piece = { text: string } | { variable: string; column: number };

function pieces(line: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of line.matchAll(reference)) {
    if (match.index > end) found.push({ text: line.slice(end, match.index) });
    found.push({ variable: (match[1] ?? '').trim(), column: match.index + 1 });
    end = match.index + match[0].length;
  }
  if (end < line.length) found.push({ text: line.slice(end) });
  return found;
}

/** The names of the variables a template uses, known or not. */
export function variablesIn(template: string): string[] {
  return [...template.matchAll(reference)].map((match) => (match[1] ?? '').trim());
}

/** The names of the secrets a template uses, whether they exist or not. */
export function secretsIn(template: string): string[] {
  return variablesIn(template).flatMap((name) => (name.startsWith(SECRET) ? [name.slice(SECRET.length)] : []));
}

/**
 * Finds variables that do not exist and braces that are never closed.
 * @param secrets the names of the secrets there are
 */
export function checkTemplate(template: string, secrets: ReadonlySet<string>): TemplateError[] {
  return template.split('\n').flatMap((text, index) => {
    const line = index + 1;
    let column = 1;
    return pieces(text).flatMap((piece): TemplateError[] => {
      if ('text' in piece) {
        const open = piece.text.indexOf('{{');
        const at = column + open;
        column += piece.text.length;
        return open < 0 ? [] : [{ line, column: at, message: '{{ is never closed with }}' }];
      }
      column = text.indexOf('}}', piece.column) + 3;
      const message = problemOf(piece.variable, secrets);
      return message === null ? [] : [{ line, column: piece.column, message }];
    });
  });
}

function problemOf(variable: string, secrets: ReadonlySet<string>): string | null {
  if (isVariable(variable)) return null;
  if (!variable.startsWith(SECRET))
    return `there is no variable {{${variable}}}; known are ${[...names].join(', ')} and secret.<name>`;
  const name = variable.slice(SECRET.length);
  return secrets.has(name) ? null : `there is no secret named ${name}; the blueprint's owner has to set it first`;
}

/** What stands for a variable; nothing where there is none, which saving refuses. */
function valueOf(variable: string, values: Variables): string {
  if (isVariable(variable)) return values[variable];
  return (variable.startsWith(SECRET) && values.secrets.get(variable.slice(SECRET.length))) || '';
}

/** Fills in a text of no particular form: values stand there as they are. */
export function renderText(template: string, values: Variables): string {
  return template.replaceAll(reference, (_match, inner: string) => valueOf(inner.trim(), values));
}

/**
 * Fills in a server.cfg. The console splits a line at `;` and takes `//` as a comment, both only outside quotes, and knows no
 * escape for a quote inside quotes. So a value never ends the quotes it stands in, nor the command it stands in: inside quotes its own
 * quotes become apostrophes; outside, anything but a plain word is put into quotes.
 */
export function renderConfig(template: string, values: Variables): string {
  return template
    .split('\n')
    .map((line) => renderConfigLine(line, values))
    .join('\n');
}

function renderConfigLine(line: string, values: Variables): string {
  let quoted = false;
  let comment = false;
  let rendered = '';
  for (const piece of pieces(line)) {
    if ('text' in piece) {
      for (let i = 0; i < piece.text.length && !comment; i += 1) {
        if (piece.text[i] === '"') quoted = !quoted;
        else if (!quoted && piece.text.startsWith('//', i)) comment = true;
      }
      rendered += piece.text;
      continue;
    }
    const value = oneLine(valueOf(piece.variable, values)).replaceAll('"', "'");
    rendered += quoted || comment || /^[\w.*-]+$/.test(value) ? value : `"${value}"`;
  }
  return rendered;
}

/** A value between quotes in a server.cfg. */
export function quote(value: string): string {
  return `"${oneLine(value).replaceAll('"', "'")}"`;
}

function oneLine(value: string): string {
  return value.replaceAll(/\p{Cc}+/gu, ' ');
}

/**
 * Fills in an argument. srcds joins its command line into one text and splits it again, so a value stays part of its one word: what is
 * no letter, digit, dot, dash or underscore becomes an underscore, and it cannot begin an option.
 */
export function renderArgument(template: string, values: Variables): string {
  return template.replaceAll(reference, (_match, inner: string, offset: number) => {
    const word = valueOf(inner.trim(), values).replaceAll(/[^A-Za-z0-9_.-]+/g, '_');
    return offset === 0 ? word.replace(/^[-.]+/, '') || '_' : word;
  });
}
