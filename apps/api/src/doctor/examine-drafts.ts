import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { bad, type Finding, good } from '@left4me/host';

/** The one folder of the state that an API by itself writes to. */
export async function examineDrafts(root: string): Promise<Finding[]> {
  const folder = path.join(root, 'drafts');
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return [good('drafts', `${folder} can be written`)];
  } catch (error) {
    const found = `files of overlays cannot be written: ${error instanceof Error ? error.message : String(error)}`;
    return [bad('drafts', found, 'run deploy/install.sh again, or give this user the folder')];
  }
}
