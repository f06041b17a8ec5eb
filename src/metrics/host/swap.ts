import { labelText } from '../../exposition/labels.ts';
import { computeHostSwap } from '../../model/facts/host-swap.ts';
import type { Host } from '../../model/host.ts';

import { gauge, type Metric } from '../metric.ts';
import { zeroOne } from '../yes-no.ts';
import type { SwapArea } from '../../model/host-memory.ts';

/** Where memory can be swapped to. */
export const hostSwapMetrics: readonly Metric[] = [
  gauge(
    'kvm_host_swap_size_bytes',
    'Swap on devices and files, without zram, which takes RAM itself (/proc/swaps).',
    {
      note: '/proc/meminfo SwapTotal where /proc/swaps is out of reach.',
    },
    ({ snapshot }, sample) => {
      sample('', computeHostSwap(snapshot.host).totalBytes);
    },
  ),
  gauge(
    'kvm_host_swap_free_bytes',
    'Free swap on devices and files, without zram (/proc/swaps).',
    {
      note: '/proc/meminfo SwapFree where /proc/swaps is out of reach.',
    },
    ({ snapshot }, sample) => {
      sample('', computeHostSwap(snapshot.host).freeBytes);
    },
  ),
  gauge(
    'kvm_host_swap_cached_bytes',
    'Memory that is in RAM and also still in swap (/proc/meminfo SwapCached).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.meminfo?.swapCachedBytes);
    },
  ),
  area('size_bytes', 'Size of a swap area', (one) => one.sizeBytes),
  area('used_bytes', 'Used part of a swap area', (one) => one.usedBytes),
  area('priority', 'Priority of a swap area; the highest is used first', (one) => one.priority),
  gauge(
    'kvm_host_zram_original_bytes',
    'Memory swapped to a zram device, before compression (mm_stat of the device, field 1).',
    { labels: ['path'] },
    ({ snapshot }, sample) => {
      for (const one of snapshot.host.swapAreas ?? []) {
        sample(labelText(['path'], [one.path]), one.zram?.originalBytes);
      }
    },
  ),
  gauge(
    'kvm_host_zram_memory_bytes',
    'RAM a zram device takes for the memory swapped to it (mm_stat of the device, field 3).',
    { labels: ['path'] },
    ({ snapshot }, sample) => {
      for (const one of snapshot.host.swapAreas ?? []) {
        sample(labelText(['path'], [one.path]), one.zram?.memoryBytes);
      }
    },
  ),
  gauge(
    'kvm_host_zswap_enabled',
    'Whether pages on their way to swap are compressed into RAM first ' +
      '(/sys/module/zswap/parameters/enabled).',
    {},
    ({ snapshot }, sample) => {
      sample('', zeroOne(snapshot.host.zswap?.enabled));
    },
  ),
  gauge(
    'kvm_host_zswap_max_pool_ratio',
    'Share of RAM the zswap pool may take (zswap/parameters/max_pool_percent).',
    {},
    ({ snapshot }, sample) => {
      const percent = snapshot.host.zswap?.maxPoolPercent;
      sample('', percent === undefined ? undefined : percent / 100);
    },
  ),
  gauge(
    'kvm_host_zswap_pool_bytes',
    'RAM the zswap pool takes (/proc/meminfo Zswap, or debugfs before Linux 5.19).',
    {},
    ({ snapshot }, sample) => {
      const { meminfo, zswap } = snapshot.host;
      sample('', meminfo?.zswapBytes ?? zswap?.debug?.poolBytes);
    },
  ),
  gauge(
    'kvm_host_zswap_stored_bytes',
    'Memory in the zswap pool, before compression (/proc/meminfo Zswapped, or debugfs before ' +
      'Linux 5.19).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.meminfo?.zswappedBytes ?? storedInZswap(snapshot.host));
    },
  ),
];

function storedInZswap({ zswap, pageBytes }: Host): number | undefined {
  const pages = zswap?.debug?.storedPages;
  return pages === undefined ? undefined : pages * pageBytes;
}

function area(name: string, meaning: string, valueOf: (area: SwapArea) => number): Metric {
  return gauge(
    `kvm_host_swap_area_${name}`,
    `${meaning} (/proc/swaps).`,
    { labels: ['path', 'kind'] },
    ({ snapshot }, sample) => {
      for (const one of snapshot.host.swapAreas ?? []) {
        sample(labelText(['path', 'kind'], [one.path, one.kind]), valueOf(one));
      }
    },
  );
}
