/** The folder that overlays are laid over; only `bin/` and programs are beside it. */
const GAME = 'left4dead2';
/** Folders of the game that people pack without the one they belong into. */
const OF_THE_GAME = /^(addons|cfg|maps|materials|missions|models|particles|resource|scripts|sound)$/i;
/** Lie beside it, with such folders of their own. */
const OF_THE_ENGINE = /^(left4dead2(_dlc\d)?|update|hl2|platform|bin)$/;
/** Where files lie that the game reads from one folder alone, by their ending. */
const READ_FROM: readonly [RegExp, string][] = [
  [/\.vpk$/i, `${GAME}/addons`],
  [/\.cfg$/i, `${GAME}/cfg`],
  [/\.smx$/i, `${GAME}/addons/sourcemod/plugins`],
];
/** The game does not look for VPKs there, although it reads other files from there. */
const NO_PLACE_FOR_VPKS = /^left4dead2\/(addons\/(?!workshop\/)[^/]+|maps)\/[^/]+\.vpk$/i;

/** Where a file or folder of an overlay belongs to, when it lies where the game does not look for it; its names are case-sensitive here. */
export function rightPlace(parts: readonly string[], type: 'file' | 'folder'): string | null {
  return type === 'file' ? placeOfFile(parts) : placeOfFolder(parts);
}

function placeOfFolder([top = '', inside, ...further]: readonly string[]): string | null {
  if (further.length > 0) return null;
  if (inside === undefined) {
    if (OF_THE_GAME.test(top)) return `${GAME}/${top.toLowerCase()}`;
    return top !== GAME && top.toLowerCase() === GAME ? GAME : null;
  }
  if (inside === GAME) return GAME; // one folder around everything, as archives of repositories have it
  const wanted = `${GAME}/${inside.toLowerCase()}`;
  if (!OF_THE_GAME.test(inside) || wanted === `${top}/${inside}`) return null;
  return top === GAME || !OF_THE_ENGINE.test(top) ? wanted : null;
}

function placeOfFile(parts: readonly string[]): string | null {
  const name = parts.at(-1) ?? '';
  if (NO_PLACE_FOR_VPKS.test(parts.join('/'))) return `${GAME}/addons/${name}`;
  const [ending, folder] = READ_FROM.find(([endsSo]) => endsSo.test(name)) ?? [];
  if (ending === undefined || parts.length > 2) return null;
  // The game's own VPKs lie in its folder.
  const stray = parts.length === 1 || (parts[0] === GAME && !/\.vpk$/i.test(name));
  return stray ? `${folder}/${name}` : null;
}
