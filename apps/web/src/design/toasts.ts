import { shallowRef } from 'vue';
import { explain } from '../api/client';

export interface Toast {
  id: number;
  kind: 'good' | 'bad';
  text: string;
  link?: { to: string; text: string };
}

const toasts = shallowRef<readonly Toast[]>([]);
let nextId = 1;

function add(toast: Omit<Toast, 'id'>): void {
  toasts.value = [...toasts.value.slice(-3), { ...toast, id: nextId }];
  nextId += 1;
}

/** Messages are about what was just done: a new page, a dialog or an error of its own makes them old. */
export function clearToasts(): void {
  if (toasts.value.length > 0) toasts.value = [];
}

/** Short messages about what was just done. Say them after the navigation they belong to: it clears those before. */
export function useToasts() {
  return {
    toasts,
    say: (text: string, link?: Toast['link']) => add({ kind: 'good', text, link }),
    complain: (error: unknown) => add({ kind: 'bad', text: explain(error) }),
    dismiss: (id: number) => (toasts.value = toasts.value.filter((toast) => toast.id !== id)),
  };
}
