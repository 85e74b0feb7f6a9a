/** The tabs of a browser have one session together, by its cookie. */
const tabs = new BroadcastChannel('left4me-session');

/** Tells the other tabs that the session is another one now. */
export function tellOtherTabs(): void {
  tabs.postMessage(null);
}

/** Calls the listener when another tab has told so. */
export function onOtherTab(listener: () => void): void {
  tabs.onmessage = listener;
}
