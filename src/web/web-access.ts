import { Reloadable } from '../config/reloadable.ts';
import { OPEN_WEB, type WebConfig } from '../config/web-config.ts';
import type { FileFaults } from '../config/yaml-file.ts';
import { failedWith, found, type Result } from '../runtime/result.ts';
import type { BasicAuth, LoginResult } from './basic-auth.ts';

/**
 * Who may ask: the web configuration in force. What it takes is loaded only where there is such a file.
 */
export class WebAccess {
  readonly #file: Reloadable<WebConfig>;
  #basicAuth: BasicAuth | undefined;

  /** @param path the file; undefined: plain HTTP for everyone. */
  constructor(path: string | undefined) {
    this.#file = new Reloadable(OPEN_WEB, (inForce) =>
      path === undefined ? Promise.resolve(found(inForce)) : this.#load(path, inForce),
    );
  }

  get config(): WebConfig {
    return this.#file.inForce;
  }

  /** See {@link Reloadable.reload}. */
  reload(): Promise<Result<WebConfig, FileFaults>> {
    return this.#file.reload();
  }

  async #load(path: string, inForce: WebConfig): Promise<Result<WebConfig, FileFaults>> {
    const [{ loadWebConfig }, { BasicAuth }] = await Promise.all([
      import('../config/web-config-file.ts'),
      import('./basic-auth.ts'),
    ]);
    const loaded = await loadWebConfig(path);
    if (!loaded.ok) return loaded;
    if (this.#basicAuth !== undefined && needsNewListeners(inForce, loaded.value)) {
      const fault = 'TLS and client_auth_type cannot be changed without a restart';
      return failedWith([`${path}: ${fault}`]);
    }
    this.#basicAuth ??= new BasicAuth();
    return loaded;
  }

  /** Whether a request may pass; always right where no logins are asked for. As `BasicAuth.check`. */
  async check(
    authorization: string | undefined,
    client: string,
    gone: AbortSignal,
  ): Promise<LoginResult> {
    const { users } = this.config;
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
