import { type InjectionKey, inject, onScopeDispose, provide, type Ref, type ShallowRef, shallowRef } from 'vue';

/** A text that is being edited on an overlay's page. */
export interface TypedText {
  /** Whether something of it is not saved. */
  unsaved: Readonly<Ref<boolean>>;
  /** @returns whether all of it is saved now; if not, its editor says why */
  save: () => Promise<boolean>;
}

const key: InjectionKey<ShallowRef<TypedText | null>> = Symbol('typed text');

/** For the page: the text whose editor is open on it, if one is. */
export function useOpenText(): Readonly<ShallowRef<TypedText | null>> {
  const open = shallowRef<TypedText | null>(null);
  provide(key, open);
  return open;
}

/** For an editor: tells the page of its text for as long as it is open. */
export function offerText(text: TypedText): void {
  const open = inject(key, null);
  if (!open) return;
  open.value = text;
  onScopeDispose(() => {
    if (open.value === text) open.value = null;
  });
}
