import { chmod, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type OrdinaryUser, ordinaryUser } from './ordinary-user.js';
import { socketFolder } from './socket-folder.js';

/** Where one service keeps what. */
export interface ServicePlaces {
  dataFolder: string;
  socketFolder: string;
  logFile: string;
  recordFile: string;
}

export interface Places {
  user: OrdinaryUser;
  of(service: 'postgres' | 'redis'): ServicePlaces;
  /** Removes what is outside the state folder. */
  remove: () => Promise<void>;
}

/** Makes the folders of a state folder that the embedded services need. */
export async function servicePlaces(folder: string): Promise<Places> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const root = await realpath(folder);
  const user = await ordinaryUser();
  // Root that cannot use a user namespace: PostgreSQL's account must come through to its own folders, and sees no others.
  if (user.owner) await chmod(root, 0o711);
  const run = join(root, 'run');
  await mkdir(run, { recursive: true, mode: 0o700 });
  const sockets = await socketFolder(root, user);
  return {
    user,
    of: (service) => ({
      dataFolder: join(root, service),
      socketFolder: sockets.path,
      logFile: join(root, 'log', `${service}.log`),
      recordFile: join(run, `${service}.json`),
    }),
    remove: sockets.remove,
  };
}
