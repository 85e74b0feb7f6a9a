/** Where Steam keeps the pictures of items: the only hosts besides the panel that its pages load a picture from. */
export const PREVIEW_HOSTS = ['https://*.steamusercontent.com', 'https://steamuserimages-a.akamaihd.net'] as const;

/** The address when a page of the panel may show it. */
export function shownPreview(url: string | null): string | null {
  if (url === null || !URL.canParse(url)) return null;
  const { protocol, hostname, port } = new URL(url);
  const known = hostname.endsWith('.steamusercontent.com') || hostname === 'steamuserimages-a.akamaihd.net';
  return protocol === 'https:' && port === '' && known ? url : null;
}
