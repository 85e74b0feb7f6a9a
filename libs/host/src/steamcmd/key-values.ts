/** A node of Valve's KeyValues text: a text, or named nodes. */
export type KeyValues = string | ReadonlyMap<string, KeyValues>;

type Branch = Map<string, KeyValues>;

/** `"a text"` with `\"` and `\\` inside, a brace, or a comment. */
const TOKEN = /"((?:[^"\\]|\\.)*)"|([{}])|\/\/[^\n]*/g;

/**
 * Reads KeyValues text (https://developer.valvesoftware.com/wiki/KeyValues), as in appmanifest files and in what `app_info_print`
 * prints. Only what Steam writes itself: quoted names and texts. A name that comes twice counts once, the last time. Text that
 * ends too early gives what was there.
 */
export function parseKeyValues(text: string): ReadonlyMap<string, KeyValues> {
  const root: Branch = new Map();
  const open: Branch[] = [root];
  let name: string | null = null;
  for (const [, quoted, brace] of text.matchAll(TOKEN)) {
    const branch = open.at(-1) ?? root;
    if (brace === '{') {
      const inner: Branch = new Map();
      branch.set(name ?? '', inner);
      open.push(inner);
      name = null;
    } else if (brace === '}') {
      if (open.length > 1) open.pop();
      name = null;
    } else if (quoted !== undefined) {
      const value = quoted.replaceAll(/\\(.)/g, '$1');
      if (name === null) name = value;
      else {
        branch.set(name, value);
        name = null;
      }
    }
  }
  return root;
}

/** The node below these names; undefined when it is not there. */
export function nodeAt(node: KeyValues | undefined, ...names: string[]): KeyValues | undefined {
  return names.reduce<KeyValues | undefined>(
    (found, name) => (found === undefined || typeof found === 'string' ? undefined : found.get(name)),
    node,
  );
}

/** The text below these names; null when it is not there. */
export function textAt(node: KeyValues | undefined, ...names: string[]): string | null {
  const found = nodeAt(node, ...names);
  return typeof found === 'string' ? found : null;
}
