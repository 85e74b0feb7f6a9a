/** What starts the worker of a host, typed on its machine. */
export function workerCommand(host: { name: string; serviceManager: string | null }): string {
  if (host.serviceManager === 'systemd') return 'systemctl start left4me-worker';
  return `LEFT4ME_HOST=${host.name} npm start -- --role worker`;
}

/** What makes another machine a host, typed in a checkout there: as this panel was made, installed or started by hand. */
export function newHostCommand(name: string, installed: boolean): string {
  if (!installed) return workerCommand({ name, serviceManager: null });
  return `sudo --preserve-env=DATABASE_URL,REDIS_URL,SECRET_KEY LEFT4ME_HOST=${name} deploy/install.sh --worker-only`;
}
