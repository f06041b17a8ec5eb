import { OPEN_WEB, type WebConfig } from '../config/web-config.ts';
import type { FileFaults } from '../config/yaml-file.ts';
import { failedWith, found, type Result } from '../runtime/result.ts';
import type { BasicAuth, LoginResult } from './basic-auth.ts';

/**
 * Who may ask: the web configuration in force, which can be read again while the exporter runs. A
 * broken file changes nothing. What it takes is loaded only where there is such a file.
 */
export class WebAccess {
  readonly #path: string | undefined;
  #config: WebConfig = OPEN_WEB;
  #basicAuth: BasicAuth | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param path the file; undefined: plain HTTP for everyone. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  get config(): WebConfig {
    return this.#config;
  }

  /**
   * Reads the file and puts it in force if it is sound; one reading after the other, so that the
   * last signal decides.
   */
  reload(): Promise<Result<WebConfig, FileFaults>> {
    const reading = this.#last.then(() => this.#read());
    this.#last = reading;
    return reading;
  }

  async #read(): Promise<Result<WebConfig, FileFaults>> {
    if (this.#path === undefined) return found(this.#config);
    const [{ loadWebConfig }, { BasicAuth }] = await Promise.all([
      import('../config/web-config-file.ts'),
      import('./basic-auth.ts'),
    ]);
    const loaded = await loadWebConfig(this.#path);
    if (!loaded.ok) return loaded;
    if (this.#basicAuth !== undefined && needsNewListeners(this.#config, loaded.value)) {
      const fault = 'TLS and client_auth_type cannot be changed without a restart';
      return failedWith([`${this.#path}: ${fault}`]);
    }
    this.#basicAuth ??= new BasicAuth();
    this.#config = loaded.value;
    return loaded;
  }

  /** Whether a request may pass; always right where no logins are asked for. As `BasicAuth.check`. */
  async check(
    authorization: string | undefined,
    client: string,
    gone: AbortSignal,
  ): Promise<LoginResult> {
    const { users } = this.#config;
    if (users.size === 0 || this.#basicAuth === undefined) return 'right';
    return this.#basicAuth.check(users, authorization, client, gone);
  }
}

/** What OpenSSL is told once, when a socket is opened. */
function needsNewListeners({ tls: before }: WebConfig, { tls: after }: WebConfig): boolean {
  return (
    (before === undefined) !== (after === undefined) || before?.clientAuth !== after?.clientAuth
  );
}
