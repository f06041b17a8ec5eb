/** Why the exporter cannot start, for the person who tried: one line, no stack. */
export class StartError extends Error {}
