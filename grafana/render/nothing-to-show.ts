/**
 * Panels that may be empty, each with a query that proves that the host has no such thing: it must
 * have a result then. `$host` stands for the matchers of the host, `$range` for what is shown.
 */
export const NOTHING_TO_SHOW: ReadonlyMap<string, string> = new Map([]);
