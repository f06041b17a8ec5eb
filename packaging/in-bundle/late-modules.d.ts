interface ImportMeta {
  /** What packaging/bundle.ts writes: the names each of these modules of Node's exports. */
  readonly lateModules: Readonly<Record<string, readonly string[]>>;
}
