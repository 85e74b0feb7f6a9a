import { NotSupported } from '../errors.js';

/**
 * The production service manager: one template unit per server, enabled and disabled by systemd, logs in the journal.
 * Its place: it implements `ServiceManager` around the same launcher.
 */
export function openSystemdManager(): never {
  throw new NotSupported('LEFT4ME_SERVICE_MANAGER=systemd is not supported yet: use process');
}
