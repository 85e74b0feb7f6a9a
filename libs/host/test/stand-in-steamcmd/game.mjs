// The stand-in's game: the demo runtime's files, so that it works as a server, and one file whose content is the build.
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** Every build has another content of the same length. */
const PAK = 'left4dead2/pak01_dir.vpk';
const WINDOWS = 'srcds.exe';

const manifestOf = (folder) => join(folder, 'steamapps', 'appmanifest_222860.acf');
const pakOf = (build) => `build ${build} `.repeat(8000).slice(0, 64_000);

/** As steamcmd does: into the file that is there, not beside it. Whoever has a hard link to it sees it change. */
function writeInPlace(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) chmodSync(path, 0o644);
  const file = openSync(path, existsSync(path) ? 'r+' : 'w');
  writeSync(file, content);
  ftruncateSync(file, Buffer.byteLength(content));
  closeSync(file);
}

/** What is the Linux server's alone goes. */
export function installWindows(folder, { build }) {
  rmSync(join(folder, 'srcds_run'), { force: true });
  writeInPlace(join(folder, PAK), pakOf(build));
  writeInPlace(join(folder, WINDOWS), 'MZ');
}

/** What is the Windows server's alone goes. */
export function installLinux(folder, { build, game, node }) {
  rmSync(join(folder, WINDOWS), { force: true });
  writeInPlace(join(folder, PAK), pakOf(build));
  for (const [from, to] of [
    ['tree', ''],
    ['bin', 'bin'],
  ]) {
    for (const name of readdirSync(join(game, from), { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      const source = join(name.parentPath, name.name);
      writeInPlace(join(folder, to, source.slice(join(game, from).length + 1)), readFileSync(source));
    }
  }
  chmodSync(join(folder, 'srcds_run'), 0o755);
  const program = join(folder, 'bin', 'demo-node');
  if (!existsSync(program)) {
    // A server sees /usr, and of everything else its own tree.
    if (node.startsWith('/usr/')) writeFileSync(program, `#!/bin/sh\nexec ${node} "$@"\n`);
    else cpSync(node, program);
    chmodSync(program, 0o755);
  }
}

export function writeManifest(folder, { build, bytes = 2_000_000 }, flags) {
  const text = [
    '"AppState"',
    '{',
    '\t"appid"\t\t"222860"',
    '\t"Universe"\t\t"1"',
    '\t"name"\t\t"Left 4 Dead 2 Dedicated Server"',
    `\t"StateFlags"\t\t"${flags}"`,
    '\t"installdir"\t\t"Left 4 Dead 2 Dedicated Server"',
    '\t"LastUpdated"\t\t"1733269577"',
    `\t"SizeOnDisk"\t\t"${bytes}"`,
    `\t"buildid"\t\t"${build}"`,
    '\t"InstalledDepots"',
    '\t{',
    '\t\t"222861"',
    '\t\t{',
    `\t\t\t"manifest"\t\t"1692357934132329117"\n\t\t\t"size"\t\t"${bytes}"`,
    '\t\t}',
    '\t}',
    '}',
  ];
  writeInPlace(manifestOf(folder), `${text.join('\n')}\n`);
}

export function installedBuild(folder) {
  if (!existsSync(manifestOf(folder))) return null;
  return /"buildid"\t\t"(\d+)"/.exec(readFileSync(manifestOf(folder), 'utf8'))?.[1] ?? null;
}

export function isWhole(folder, platform, build) {
  const program = join(folder, platform === 'windows' ? WINDOWS : 'srcds_run');
  return existsSync(program) && readFileSync(join(folder, PAK), 'utf8') === pakOf(build);
}

/** What `app_info_print` prints. */
export function appInfo(app, { build, bytes }) {
  const depot = (id, os, size) =>
    `\t\t"${id}"\n\t\t{\n\t\t\t"config"\n\t\t\t{\n\t\t\t\t"oslist"\t\t"${os}"\n\t\t\t}\n\t\t\t"manifests"\n\t\t\t{\n` +
    `\t\t\t\t"public"\n\t\t\t\t{\n\t\t\t\t\t"gid"\t\t"169235793413232${id}"\n\t\t\t\t\t"size"\t\t"${size}"\n` +
    `\t\t\t\t\t"download"\t\t"${Math.floor(size / 2)}"\n\t\t\t\t}\n\t\t\t}\n\t\t}\n`;
  return (
    `AppID : ${app}, change number : 26584392/26584392, last change : Sun Dec 15 13:25:00 2024 \n"${app}"\n{\n` +
    `\t"common"\n\t{\n\t\t"name"\t\t"Left 4 Dead 2 Dedicated Server"\n\t\t"type"\t\t"Tool"\n` +
    `\t\t"oslist"\t\t"windows,linux"\n\t\t"gameid"\t\t"${app}"\n\t}\n\t"depots"\n\t{\n` +
    depot('222861', 'windows,linux', bytes - 2) +
    depot('222862', 'windows', 1) +
    depot('222863', 'linux', 1) +
    `\t\t"branches"\n\t\t{\n\t\t\t"beta"\n\t\t\t{\n\t\t\t\t"buildid"\t\t"99999999"\n\t\t\t}\n\t\t\t"public"\n\t\t\t{\n` +
    `\t\t\t\t"buildid"\t\t"${build}"\n\t\t\t\t"timeupdated"\t\t"1733269577"\n\t\t\t}\n\t\t}\n\t}\n}`
  );
}
