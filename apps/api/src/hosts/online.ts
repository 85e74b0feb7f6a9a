/** A worker not seen for this long is gone, as far as anybody can tell. */
export const OFFLINE_AFTER_S = 15;

/** SQL for whether a host's worker lives: it was seen lately and has not stopped, by the database's clock: those of the panel's processes may differ. */
export function onlineSql(hosts: string): string {
  return `SELECT NOT ${hosts}.worker_stopped AND coalesce(${hosts}.worker_seen_at > clock_timestamp() - interval '${OFFLINE_AFTER_S} s', false)`;
}
