// node set-up.mjs <folder> [behaviour as JSON]
// Puts a stand-in steamcmd into the folder; LEFT4ME_STEAMCMD is <folder>/steamcmd.sh then. Again: changes its behaviour.
import { cpSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const game = join(here, '..', '..', 'programs', 'demo-runtime');

export function setUp(folder, behaviour) {
  mkdirSync(join(folder, 'linux32'), { recursive: true });
  for (const name of ['steamcmd.sh', 'steamcmd.mjs', 'game.mjs', 'linux32/steamcmd']) {
    if (!existsSync(join(folder, name))) cpSync(join(here, name), join(folder, name));
  }
  if (!existsSync(join(folder, 'game'))) cpSync(game, join(folder, 'game'), { recursive: true });
  if (!existsSync(join(folder, 'node'))) symlinkSync(process.execPath, join(folder, 'node'));
  const all = { build: '100', node: process.execPath, game: join(folder, 'game'), ...behaviour };
  // A run that reads it at the same time sees the old or the new one.
  writeFileSync(join(folder, 'behaviour.json.new'), JSON.stringify(all));
  renameSync(join(folder, 'behaviour.json.new'), join(folder, 'behaviour.json'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , folder, behaviour = '{}'] = process.argv;
  if (!folder) throw new Error('usage: node set-up.mjs <folder> [behaviour as JSON]');
  setUp(folder, JSON.parse(behaviour));
}
