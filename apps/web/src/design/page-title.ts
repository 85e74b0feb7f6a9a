import { toValue, watchEffect, type MaybeRefOrGetter } from 'vue';

/** The tab's title while the calling page is shown. */
export function usePageTitle(title: MaybeRefOrGetter<string | null | undefined>): void {
  watchEffect(() => {
    const text = toValue(title);
    document.title = text ? `${text} · left4me` : 'left4me';
  });
}
