import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Has V8 collect all garbage now. Throws where it does not offer that: a measure of memory would mean nothing. */
export function collectGarbage(): void {
  if (typeof collect !== 'function') throw new Error('V8 has no gc(), in spite of --expose-gc');
  Reflect.apply(collect, undefined, []);
}
