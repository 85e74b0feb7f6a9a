const GIB = 1024 ** 3;

/** What a script may use. Times in seconds, sizes in bytes. */
export interface ScriptLimits {
  seconds: number;
  /** Of all its processes together. left4me-script@.service has the same figure. */
  memoryBytes: number;
  /** What stays available of the machine's memory, whoever fills it: what is in no process's own figures, like an unmapped memfd, counts here. */
  memoryReserveBytes: number;
  /** Processes and threads together, some of left4me's own among them. left4me-script@.service has the same figure. */
  tasks: number;
  /** Descriptors of all its processes together; more would take the watch too long to look at. */
  openFiles: number;
  /** Likewise, pieces of memory that they have mapped (mmap(2)). */
  mappings: number;
  /**
   * Of everything below its folders: the overlay, the cache and /tmp. In bubblewrap as much again in files that were removed while open
   * or mapped; what of those is hidden even so, the reserves stop.
   */
  diskBytes: number;
  /** Files, folders and links below them. */
  entries: number;
  /** What stays free on the disk, whoever fills it. */
  reserveBytes: number;
  /** Likewise, of the filesystem's inodes, where it has a number of them. */
  reserveInodes: number;
}

export const SCRIPT_LIMITS: ScriptLimits = {
  seconds: 50 * 60,
  memoryBytes: 2 * GIB,
  memoryReserveBytes: GIB / 4,
  tasks: 256,
  openFiles: 8192,
  mappings: 32_768,
  diskBytes: 16 * GIB,
  entries: 200_000,
  reserveBytes: 2 * GIB,
  reserveInodes: 50_000,
};

/** As a sentence of a job's log. */
export function toldLimits({ seconds, memoryBytes, tasks, diskBytes, entries }: ScriptLimits): string {
  const time = `${Math.round(seconds / 60)} minutes`;
  return `${time}, ${told(memoryBytes)} of memory, ${tasks} processes, ${told(diskBytes)} of disk in ${entries} files`;
}

export function told(bytes: number): string {
  return bytes >= GIB ? `${Number((bytes / GIB).toFixed(1))} GiB` : `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
