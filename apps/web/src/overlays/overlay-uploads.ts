import { plural } from '../design/amounts';
import { useToasts } from '../design/toasts';
import { refreshDraft } from './queries';
import type { Unpacked } from './schema';
import { sendFile } from './send-file';
import { giveUp, refreshUnfinished } from './unfinished';
import { type UploadQueue, uploadQueue } from './uploads';

const queues = new Map<number, UploadQueue>();

/** The uploads into an overlay's draft. They go on while other pages of the console are looked at. */
export function uploadsOf(overlay: number): UploadQueue {
  const known = queues.get(overlay);
  if (known) return known;
  const queue: UploadQueue = uploadQueue(
    sendFile(overlay, toldUnpacked, (id) => queue.uploads.some((upload) => upload.id === id)),
    () => {
      refreshDraft(overlay);
      refreshUnfinished(overlay);
    },
    (ids) => void giveUp(overlay, ids).catch(useToasts().complain),
  );
  if (queues.size === 0) window.addEventListener('beforeunload', closing);
  queues.set(overlay, queue);
  return queue;
}

/**
 * Ends and forgets all uploads: their user's session has ended. What has come can be gone on with. A page that unsaved
 * changes keep open has its queue still.
 */
export function endUploads(): void {
  for (const queue of queues.values()) queue.leave();
}

function closing(event: BeforeUnloadEvent): void {
  if ([...queues.values()].some((queue) => queue.busy.value)) event.preventDefault();
}

function toldUnpacked(name: string, { files, leftOut }: Unpacked): void {
  const { say, complain } = useToasts();
  if (leftOut.count === 0) return say(`${name} is unpacked: ${plural(files, 'file')}.`);
  complain(
    new Error(
      `${name} is unpacked without ${plural(leftOut.count, 'link or special file', 'links and special files')}: ${leftOut.first.join(', ')}`,
    ),
  );
}
