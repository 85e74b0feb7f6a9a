import { useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { meOptions } from './queries';

/** The logged-in user, for pages: all pages but the login are only shown to one. */
export function useSession() {
  const { data } = useQuery(meOptions);
  const user = computed(() => data.value ?? null);
  const isAdmin = computed(() => user.value?.role === 'admin');
  return { user, isAdmin };
}
