/** What a signal asks for. */
export interface SignalActions {
  readonly reload: () => void;
  /** @param again the signal came before and its stop is under way. */
  readonly stop: (signal: string, again: boolean) => void;
}

/**
 * Takes the signals that would end the process, or open a debugger, from its first moment on; what
 * they ask for during the start is kept until it can be done.
 */
class Signals {
  #actions: SignalActions | undefined;
  #reloadAsked = false;
  #stopAsked: string | undefined;

  constructor() {
    process.on('SIGHUP', () => {
      if (this.#actions === undefined) this.#reloadAsked = true;
      else this.#actions.reload();
    });
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        const again = this.#stopAsked !== undefined;
        this.#stopAsked = name;
        // During the start nothing has to be put away.
        if (this.#actions === undefined) process.exit(0);
        this.#actions.stop(name, again);
      });
    }
    // Node would open an inspector, through which anyone on this host can run code as us.
    process.on('SIGUSR1', () => undefined);
  }

  /** From now on signals are acted on at once. */
  begin(actions: SignalActions): void {
    this.#actions = actions;
    if (this.#reloadAsked) actions.reload();
  }
}

export const signals = new Signals();
