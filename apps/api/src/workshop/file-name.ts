import type { WorkshopItem } from './workshop-item.entity.js';

/** What the item's file is called below left4dead2/addons/. */
export function fileNameOf({ publishedFileId, fileName }: Pick<WorkshopItem, 'publishedFileId' | 'fileName'>): string {
  return fileName ?? `${publishedFileId}.vpk`;
}
