/**
 * Prints, as JSON, the network the process finds itself in: run inside a network namespace of its
 * own by the test beside it. Arguments: the names whose routes to follow.
 */
import { NetworkLinkReader } from '../../../src/sources/network-links.ts';
import { findUplinks } from '../../../src/sources/network-uplinks.ts';

const reader = new NetworkLinkReader({ procfs: '/proc', sysfs: '/sys', rootfs: '' });
await reader.read();
const milliseconds: number[] = [];
let table = await reader.read();
for (let round = 0; round < 15; round += 1) {
  const start = performance.now();
  table = await reader.read();
  milliseconds.push(performance.now() - start);
}
if (!table.ok) throw new Error(table.error.detail);
const network = table.value;
const links = Object.fromEntries(network.links);
const routes = Object.fromEntries(
  process.argv.slice(2).map((name) => [name, findUplinks(name, network)]),
);
milliseconds.sort((one, other) => one - other);
console.log(
  JSON.stringify({ links, routes, medianMilliseconds: milliseconds[7] }, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  ),
);
