import { reactive } from 'vue';

/** What somebody has typed, by overlay, until it is saved or discarded: it outlives a look at another tab of the page. */
export const unsaved = reactive(new Map<number, { text: string; basedOn: string }>());
