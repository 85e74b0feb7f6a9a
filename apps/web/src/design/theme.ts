import { ref } from 'vue';

export type Theme = 'system' | 'light' | 'dark';

const key = 'left4me.theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(key);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

const theme = ref<Theme>(stored());

/** The user's choice of theme; public/theme.js applies it before the first paint of the next visit. */
export function useTheme() {
  const choose = (next: Theme): void => {
    theme.value = next;
    if (next === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = next;
    try {
      if (next === 'system') localStorage.removeItem(key);
      else localStorage.setItem(key, next);
    } catch {
      // Storage may be forbidden: the choice holds for this page only.
    }
  };
  return { theme, choose };
}
