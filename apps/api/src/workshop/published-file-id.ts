import { isPublishedFileId } from '@left4me/host';

/** Where Steam shows items: /sharedfiles/filedetails/?id=…, /workshop/filedetails/?id=…, and pages about one with its id in the path. */
const PAGE = /^\/(?:sharedfiles|workshop)\/filedetails(?:\/|$)/;
const ABOUT_ONE = /^\/(?:sharedfiles|workshop)\/filedetails\/(?:[a-z]+\/)?(\d+)(?:\/|$)/;

/** The item or collection that a text means: its id, or any address that Steam or its client shows for it. Null: none. */
export function publishedFileId(text: string): string | null {
  const given = text.trim();
  const id = /^\d+$/.test(given) ? given : idInAddress(given);
  return id !== null && isPublishedFileId(id) ? id : null;
}

function idInAddress(text: string): string | null {
  const opened = /^steam:\/\/(?:openurl|openurl_external)\/(.+)$/i.exec(text)?.[1];
  if (opened !== undefined) return idInAddress(opened);
  const inClient = /^steam:\/\/url\/CommunityFilePage\/(\d+)\/?$/i.exec(text)?.[1];
  if (inClient !== undefined) return inClient;
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  if (!URL.canParse(address)) return null;
  const { protocol, hostname, pathname, searchParams } = new URL(address);
  if (!/^https?:$/.test(protocol) || !/^(?:www\.|m\.)?steamcommunity\.com$/.test(hostname)) return null;
  if (!PAGE.test(pathname)) return null;
  return searchParams.get('id') ?? ABOUT_ONE.exec(pathname)?.[1] ?? null;
}
