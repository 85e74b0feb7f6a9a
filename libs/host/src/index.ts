export * from './errors.js';
export type * from './host.js';
export type { FileTree, TreeEntry, TreeSummary } from './overlay/file-tree.js';
export { openTrees } from './overlay/folder-trees.js';
export { pathProblem } from './overlay/relative-path.js';
export { formatSpec, parseSpec, validateSpec, type Spec } from './instances/spec.js';
export { isInstanceName } from './instances/names.js';
export { openHost } from './open-host.js';
