/** An open file, as far as it is written to. */
interface WritableFile {
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
}

/**
 * Writes all of it from `position` on. One write(2), which is what `FileHandle.write` does, may take less: the disk or a quota is nearly
 * full. The next one then fails with the reason.
 */
export async function writeWhole(file: WritableFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
