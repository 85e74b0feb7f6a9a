/** One thing in an archive. Its content is read, or not, before the next entry is asked for. */
export interface ArchiveEntry {
  /** As it is in the archive, not checked in any way. */
  name: Buffer;
  type: 'file' | 'folder' | 'link' | 'special';
  /** For its owner. */
  executable: boolean;
  /** Nothing unless it is a file. Throws `ArchiveRefused` where the archive is damaged. */
  content(): AsyncIterable<Buffer>;
}
