import { type Ref, onScopeDispose, ref, shallowRef } from 'vue';
import { ApiProblem, apiUrl, explain, parseProblem } from '../api/client';
import { useBufferedLines } from '../logs/buffered-lines';
import type { LogStream } from '../logs/log-stream';
import { followedSchema } from './schema';

const retryDelay = 2000;

export interface FileStream extends LogStream {
  /** Bytes at the beginning of a large file that were not read. */
  skipped: Readonly<Ref<number>>;
  /** It has bytes that no text has. */
  binary: Readonly<Ref<boolean>>;
}

/** Follows a text file of a server while the calling component lives: the file, or the end of a large one, then what is written. */
export function useFileStream(serverId: number, path: string): FileStream {
  const { buffer, version, changed } = useBufferedLines();
  const ready = ref(false);
  const error = ref<string | null>(null);
  const skipped = ref(0);
  const binary = ref(false);
  const left = new AbortController();
  /** Positions begin anew in a file that was emptied or replaced. */
  let turn = 0;
  let after: string | null = null;

  const take = (line: string): void => {
    const item = followedSchema.parse(JSON.parse(line));
    const at = new Date().toISOString();
    if ('truncated' in item) {
      turn += 1;
      skipped.value = 0;
      buffer.note('The file was emptied or replaced: it begins anew here.', at);
      changed(1);
    } else if ('skipped' in item) {
      skipped.value = item.skipped;
    } else if ('line' in item) {
      binary.value ||= item.line.includes('\0');
      after = item.position;
      changed(buffer.append([{ position: `${turn}-${item.position}`, stream: 'stdout', text: item.line, at }]));
    }
  };

  const read = async (): Promise<void> => {
    const query = { path, follow: 'true', after };
    const headers = { Accept: 'application/x-ndjson' };
    const answer = await fetch(apiUrl(`/servers/${serverId}/files/content`, query), { headers, signal: left.signal });
    if (!answer.ok || answer.body === null) throw parseProblem(answer.status, await answer.text());
    ready.value = true;
    error.value = null;
    changed(0);
    let rest = '';
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(take);
    }
  };

  const follow = async (): Promise<void> => {
    while (!left.signal.aborted) {
      try {
        await read();
      } catch (problem) {
        if (left.signal.aborted) return;
        ready.value = true;
        error.value = explain(problem);
        if (problem instanceof ApiProblem && problem.status >= 400 && problem.status < 500) return;
      }
      await new Promise((resolve) => setTimeout(resolve, retryDelay));
    }
  };

  void follow();
  onScopeDispose(() => left.abort());
  return { buffer, version, ready, end: shallowRef(null), error, skipped, binary, prepend: () => 0 };
}
