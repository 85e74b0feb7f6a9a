const fallback = '/servers';

/**
 * Where to go after the login. Only a plain path of this panel is accepted; anything that a browser could read as
 * another origin (protocol-relative, backslashes, control characters, also when encoded, once or twice) is ignored.
 */
export function safeRedirect(target: unknown): string {
  if (typeof target !== 'string') return fallback;
  let form = target;
  // Every decoded form must be harmless: something on the way may decode once more than we do.
  for (let round = 0; round < 4; round += 1) {
    if (!isPanelPath(form)) return fallback;
    let decoded: string;
    try {
      decoded = decodeURIComponent(form);
    } catch {
      return fallback;
    }
    if (decoded === form) return path(target);
    form = decoded;
  }
  return fallback;
}

function isPanelPath(text: string): boolean {
  // Browsers drop tab and newline inside an address: "/\t/evil" is "//evil"
  if (!/^\/(?![/\\])[^\\\u0000-\u001f\u007f]*$/.test(text)) return false;
  if (text.includes('//')) return false;
  return new URL(text, 'http://panel.invalid').origin === 'http://panel.invalid';
}

function path(target: string): string {
  const { pathname, search, hash } = new URL(target, 'http://panel.invalid');
  return pathname === '/login' || pathname === '/' ? fallback : `${pathname}${search}${hash}`;
}
