/** What starts the worker of a host, typed on its machine. */
export function workerCommand(host: { name: string; serviceManager: string | null }): string {
  if (host.serviceManager === 'systemd') return 'systemctl start left4me-worker';
  return `LEFT4ME_HOST=${host.name} npm start -- --role worker`;
}
