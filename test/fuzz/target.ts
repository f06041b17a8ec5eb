import type { Pick } from '../support/libvirt/damage.ts';

/** What became of an input: something was made of it, or it was refused in the way it should be. */
export type Outcome = 'value' | 'refusal';

/** A part of the exporter that takes in what others write. */
export interface Target {
  readonly name: string;
  /** Of the inputs asked for, where one takes milliseconds; 1 unless given. */
  readonly share?: number;
  /** Whatever the inputs need: trees of files, a daemon, an exporter. */
  open(): Promise<Subject> | Subject;
}

export interface Subject extends AsyncDisposable {
  /**
   * Makes one input out of random choices and hands it over. The same choices make the same input.
   *
   * @throws whatever breaks a promise: an error nobody expects, a number that cannot be.
   */
  attempt(pick: Pick): Promise<Outcome> | Outcome;
  /** Waits for attempts under way and checks what is to be checked once, in the end. */
  finish?(): Promise<void> | void;
  /** Bytes in use after a collection, where the attempts do not run in this process. */
  memory?(): Promise<number>;
}

/** A subject that has nothing to give back. */
export function simple(attempt: Subject['attempt']): Subject {
  return { attempt, [Symbol.asyncDispose]: () => Promise.resolve() };
}
