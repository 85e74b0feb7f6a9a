/** The hosts that have one of these servers. */
export function hostsOf<H extends { id: number }>(
  servers: readonly { hostId: number }[],
  hosts: readonly H[],
): readonly H[] {
  const there = new Set(servers.map((server) => server.hostId));
  return hosts.filter((host) => there.has(host.id));
}
