export * from './errors.js';
export type * from './host.js';
export type { FileTree, TreeEntry, TreeSummary } from './overlay/file-tree.js';
export type { Spec } from './instances/spec.js';
export { openHost } from './open-host.js';
