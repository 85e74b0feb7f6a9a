import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { UserPlaces } from '../problems/user-places.js';
import { sendArchive } from './send.js';

/** Each is deflated, by the API or by the worker that reads the servers' files for it. */
const AT_ONCE = 4;

/** Folders that are downloaded as zip files: a few at a time, of each user one, whatever they are of. */
@Injectable()
export class FolderDownloads {
  /** Tests wait less. */
  places = new UserPlaces(AT_ONCE, `packing ${AT_ONCE} folders, or another one for you`);

  /**
   * Sends what `pack` gives, when there is a place for it.
   * @throws Unavailable when there was none for long
   */
  send(
    userId: number,
    response: Response,
    gone: AbortSignal,
    pack: () => Promise<{ name: string; stream: Readable }>,
  ): Promise<void> {
    return this.places.hold(
      userId,
      async () => {
        const { name, stream } = await pack();
        await sendArchive(response, name, stream);
      },
      gone,
    );
  }
}
