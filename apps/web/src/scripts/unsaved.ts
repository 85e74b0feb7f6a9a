import { reactive } from 'vue';

/**
 * What somebody has typed, by overlay, until it is saved or discarded: it outlives a look at another tab of the page,
 * and the end of the session; another user's login ends it.
 */
export const unsaved = reactive(new Map<number, { text: string; basedOn: string }>());
