import type { NetworkLinkTable } from '../sources/network/links.ts';

/** The host's network interfaces and how they hang together; counters in seconds and bytes. */
export type NetworkLinks = NetworkLinkTable;
