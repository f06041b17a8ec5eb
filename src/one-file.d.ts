/**
 * What packaging/bundle.ts writes into the program when it makes a bundle of it; absent where modules
 * lie beside each other, in `src` and in `dist`.
 */
interface ImportMeta {
  /** The version of package.json. */
  readonly bundledVersion?: string;
  /** The code of web/password-worker.ts with all it imports, an ES module. */
  readonly bundledPasswordWorker?: string;
}
