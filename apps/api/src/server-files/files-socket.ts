import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, rename } from 'node:fs/promises';
import { request, type ClientRequest, type RequestOptions, type Server } from 'node:http';
import { join } from 'node:path';
import { once } from 'node:events';

const NAME = 'files.sock';
/** The worker and the group of the state folder, in which the API is (docs/decisions/0084). */
const FOLDER_MODE = 0o750;
const SOCKET_MODE = 0o660;

/**
 * Lets the worker's server listen at its socket below LEFT4ME_ROOT. The socket replaces the one of an earlier worker in one step; a
 * path of any length does, because the folder is named by its descriptor (a socket's path has 107 bytes).
 */
export async function listenAtSocket(server: Server, root: string): Promise<void> {
  const path = folderOf(root);
  await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  const folder = await open(path, 'r');
  try {
    const unfinished = `/proc/self/fd/${folder.fd}/.${randomBytes(6).toString('hex')}`;
    server.listen(unfinished);
    await once(server, 'listening');
    await chmod(unfinished, SOCKET_MODE);
    await rename(unfinished, `/proc/self/fd/${folder.fd}/${NAME}`);
  } finally {
    await folder.close();
  }
}

/** A request to the worker of this machine. Fails with ENOENT or ECONNREFUSED where none listens. */
export async function requestAtSocket(root: string, options: RequestOptions): Promise<ClientRequest> {
  const folder = await open(folderOf(root), 'r');
  const asked = request({ ...options, socketPath: `/proc/self/fd/${folder.fd}/${NAME}`, agent: false });
  const close = (): void => void folder.close();
  asked.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', close).once('error', close);
    else close();
  });
  // One that is aborted before never gets a socket.
  asked.once('close', close);
  return asked;
}

function folderOf(root: string): string {
  return join(root, 'worker');
}
