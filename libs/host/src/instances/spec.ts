/** What an instance is made of, with every revision and (after initialize) the build pinned. */
export interface Spec {
  /** UDP and TCP, 1024–65535. */
  port: number;
  /** Pinned runtime build; without it the current one is pinned by initialize. */
  build?: string;
  /** `<id>/<revision>`, the first wins. */
  overlays: string[];
  /** For srcds, after the ones the library owns. */
  arguments: string[];
  /** The generated layer, above all overlays. */
  files: { path: string; content: string }[];
  /** Shipped paths that the server shall not see. */
  hide: string[];
}
