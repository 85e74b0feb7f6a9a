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

/** Short messages about what was just done. */
export function useToasts() {
  return {
    toasts,
    say: (text: string, link?: Toast['link']) => add({ kind: 'good', text, link }),
    complain: (error: unknown) => add({ kind: 'bad', text: explain(error) }),
    dismiss: (id: number) => (toasts.value = toasts.value.filter((toast) => toast.id !== id)),
  };
}
