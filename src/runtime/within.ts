/**
 * The promise's value, or undefined once the deadline (in `performance.now()` time) is over. A
 * promise that loses the race goes on; its rejection then goes nowhere.
 */
export async function within<T>(promise: Promise<T>, deadline: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, Math.max(0, deadline - performance.now()), undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
