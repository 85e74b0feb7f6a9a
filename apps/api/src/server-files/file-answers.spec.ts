import type { FilePart, ServerFiles } from '@left4me/host';
import { expect, it } from 'vitest';
import { SecretFinder } from '../secrets/secret-finder.js';
import { linesOf } from './file-answers.js';

it('a secret that a server is given while its file is followed is masked, also across parts', async () => {
  const parts = ['sv_password old\n', 'sv_password "a-longer', '-secret"\n'];
  let secrets = new SecretFinder(['before']);
  const files: Pick<ServerFiles, 'follow'> = {
    async *follow(_name, _path, { before = 0 }): AsyncGenerator<FilePart> {
      let whole = Buffer.alloc(0);
      for (const part of parts) {
        const bytes = Buffer.from(part);
        yield { from: whole.length, bytes, before: whole.subarray(Math.max(0, whole.length - before)), anew: false };
        whole = Buffer.concat([whole, bytes]);
        secrets = new SecretFinder(['before', 'a-longer-secret']);
      }
    },
  };
  const lines: string[] = [];
  const server = { name: 'alpha', secrets: async () => secrets };
  const steps = linesOf(files, server, 'console.log', null, new AbortController().signal);
  for await (const { items } of steps) lines.push(...items.map(({ line }) => line));
  expect(lines).toEqual(['sv_password old', 'sv_password "********', '*******"']);
});
