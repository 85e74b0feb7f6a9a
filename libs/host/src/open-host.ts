import { NotSupported } from './errors.js';
import type { Host, HostOptions } from './host.js';

/**
 * Opens the machine below `root`.
 * Throws `NotSupported` for the systemd service manager, which is not built yet.
 */
export async function openHost(options: HostOptions): Promise<Host> {
  if (options.serviceManager === 'systemd') {
    throw new NotSupported('LEFT4ME_SERVICE_MANAGER=systemd is not supported yet: use process');
  }
  throw new NotSupported('the host library is being built');
}
