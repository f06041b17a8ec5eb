/** What a signal asks for. */
export interface SignalActions {
  readonly reload: () => void;
  /** @param again the signal came before and its stop is under way. */
  readonly stop: (signal: 'SIGTERM' | 'SIGINT', again: boolean) => void;
}

/**
 * Takes the signals that would end the process, or open a debugger, from its first moment on; what
 * they ask for during the start is kept until it can be done.
 */
export class Signals {
  #actions: SignalActions | undefined;
  #reloadAsked = false;
  #stopAsked = false;

  constructor() {
    process.on('SIGHUP', () => {
      if (this.#actions === undefined) this.#reloadAsked = true;
      else this.#actions.reload();
    });
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        const again = this.#stopAsked;
        this.#stopAsked = true;
        // During the start nothing has to be put away.
        if (this.#actions === undefined) this.endBy(name);
        else this.#actions.stop(name, again);
      });
    }
    // Node would open an inspector, through which anyone on this host can run code as us.
    process.on('SIGUSR1', () => undefined);
  }

  /**
   * Ends the process by a signal, which systemd takes for a clean end. `process.exit` would wait for
   * threads, and one may wait for a file that never answers.
   */
  endBy(signal: 'SIGTERM' | 'SIGINT'): void {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // The first process of a container is not ended by a signal it does not handle.
    process.exit(0);
  }

  /** From now on signals are acted on at once. */
  begin(actions: SignalActions): void {
    this.#actions = actions;
    if (this.#reloadAsked) actions.reload();
  }
}

export const signals = new Signals();
