import { onScopeDispose, readonly, ref, shallowRef } from 'vue';
import { queryClient } from '../api/query-client';
import { applyHost, applyJobToHost, forgetHost, hostKeys } from '../hosts/queries';
import { applyJob, jobKeys } from '../jobs/queries';
import { applyOverlay, forgetOverlay, overlayKeys } from '../overlays/queries';
import { applyJobToServer, applyServer, forgetServer, serverKeys } from '../servers/queries';
import { applyJobToTrash } from '../trash/queries';
import { apiBase } from '../api/client';
import { type Listener, LiveConnection, type LiveState } from './connection';
import type { LiveMessage } from './messages';

const state = ref<LiveState>('idle');
const retryAt = shallowRef<number | null>(null);
/** Once a connection stood: only then is its absence a loss. */
const everOpen = ref(false);

function address(): string {
  const { protocol, host } = window.location;
  return `${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}${apiBase}/ws`;
}

let denied: (() => void) | undefined;

const connection = new LiveConnection({
  open: () => new WebSocket(address()),
  onState: (next, at) => {
    state.value = next;
    retryAt.value = at;
    if (next === 'open') everOpen.value = true;
    if (next === 'idle') everOpen.value = false;
    if (next === 'denied') denied?.();
  },
  onReconnect: () => void queryClient.invalidateQueries(),
});

/** Writes what the panel pushed into the query caches. */
function apply(message: LiveMessage): void {
  if (message.type === 'changed') {
    if (message.channel === 'servers') applyServer(queryClient, message.item);
    else if (message.channel === 'overlays') applyOverlay(queryClient, message.item);
    else if (message.channel === 'hosts') applyHost(queryClient, message.item);
    else {
      applyJob(queryClient, message.item);
      applyJobToServer(queryClient, message.item);
      applyJobToHost(queryClient, message.item);
      applyJobToTrash(queryClient, message.item);
    }
  } else if (message.type === 'removed') {
    if (message.channel === 'servers') forgetServer(queryClient, message.id);
    if (message.channel === 'overlays') forgetOverlay(queryClient, message.id);
    if (message.channel === 'hosts') forgetHost(queryClient, message.id);
  } else if (message.type === 'subscribed') {
    // What changed between a list's answer and this subscription was pushed to nobody: read it once more. The same when the panel
    // could not read for a while: it says `subscribed` again when it can.
    const key = { servers: serverKeys.all, jobs: jobKeys.all, overlays: overlayKeys.all, hosts: hostKeys.all }[
      message.channel
    ];
    if (key) void queryClient.invalidateQueries({ queryKey: key });
  }
}

const collections: (() => void)[] = [];

/** Connects after the login; `onDenied` is called when the panel says the session ended. */
export function startLive(onDenied: () => void): void {
  denied = onDenied;
  if (collections.length === 0) {
    for (const channel of ['servers', 'jobs', 'overlays', 'hosts']) {
      collections.push(connection.subscribe(channel, { message: apply }));
    }
    window.addEventListener('online', () => connection.retryNow());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') connection.retryNow();
    });
  }
  connection.start();
}

export function stopLive(): void {
  connection.stop();
}

/** The connection's state, for the banner. */
export function useLiveState() {
  return {
    state: readonly(state),
    retryAt: readonly(retryAt),
    everOpen: readonly(everOpen),
    retryNow: () => connection.retryNow(),
  };
}

/** Follows a channel while the calling component lives. */
export function useChannel(channel: string, listener: Listener): () => void {
  const end = connection.subscribe(channel, listener);
  onScopeDispose(end);
  return end;
}
