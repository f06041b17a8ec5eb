import type { Row } from '../common/dashboard.ts';
import { graph } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { capped, highest, of } from '../common/promql.ts';
import { CHOSEN_GUESTS } from './guests.ts';

export const RUN_ON_THE_BANK: Row = {
  title: 'Run on the bank: what if all guests want what they were promised',
  tiles: [
    graph({
      title: 'Claim and supply',
      description:
        'What guests may still claim plus what un-merging would cost, beside available memory and ' +
        'free swap. Good: supply above both claims.',
      unit: 'bytes',
      queries: [
        { expr: of('kvm_memory_exposure_bytes'), legend: 'claim' },
        {
          expr: of('kvm_memory_exposure_maximum_bytes'),
          legend: 'claim with balloons empty',
        },
        { expr: of('kvm_memory_claimable_bytes'), legend: 'of which untouched' },
        { expr: of('kvm_memory_ksm_unmerge_bytes'), legend: 'of which merged' },
        { expr: of('kvm_memory_supply_bytes'), legend: 'supply' },
      ],
      width: 8,
    }),
    graph({
      title: 'Exposure per supply',
      description:
        'What guests may still claim per available memory and free swap. Good: below 100 %; ' +
        'above it the host cannot pay out what it promised, and the OOM killer chooses a ' +
        'guest.',
      unit: 'percentunit',
      queries: [
        { expr: capped(of('instance:kvm_memory_exposure_per_supply:ratio')), legend: 'now' },
        {
          expr: capped(of('instance:kvm_memory_exposure_maximum_per_supply:ratio')),
          legend: 'with balloons empty',
        },
        {
          expr: capped(of('instance:kvm_ksm_unmerge_per_supply:ratio')),
          legend: 'un-merging alone',
        },
      ],
      limit: 'memory.exposure_per_supply_ratio',
      width: 8,
    }),
    graph({
      title: 'Guests with the largest claims',
      description:
        'What the five guests with the largest claims may still take. Good: together below ' +
        'the supply; if not, they are the ones to shrink or to move.',
      unit: 'bytes',
      queries: [
        {
          expr: highest(of('kvm_domain_memory_claimable_bytes', CHOSEN_GUESTS)),
          legend: '{{domain}}',
        },
      ],
      link: fromSeries('kvm-guest', ['instance', 'domain']),
      width: 8,
    }),
  ],
};

export const PROMISE: Row = {
  title: 'Promise in detail',
  folded: true,
  tiles: [
    graph({
      title: 'Promised by class, and capacity',
      description:
        'Memory running guests have now, by what it is made of, beside what the host can give ' +
        'after its reserve; huge pages come from pools of their own. Good: the stack below the ' +
        'capacity.',
      unit: 'bytes',
      queries: [
        {
          expr: of('kvm_memory_promised_bytes', 'class!="hugepages"'),
          legend: '{{class}}',
        },
      ],
      stacked: true,
      width: 8,
    }),
    graph({
      title: 'Capacity and promise as sums',
      description:
        'Promise now, promise with all balloons empty, and capacity. Good: capacity on top.',
      unit: 'bytes',
      queries: [
        { expr: of('instance:kvm_memory_promised_bytes:sum'), legend: 'promised' },
        {
          expr: of('instance:kvm_memory_promised_maximum_bytes:sum'),
          legend: 'with balloons empty',
        },
        { expr: of('kvm_memory_capacity_bytes'), legend: 'capacity' },
      ],
      width: 8,
    }),
    graph({
      title: 'Promised per capacity',
      description: 'The over-commit ratio of memory. Good: below the limits of the policy.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance:kvm_memory_promised_per_capacity:ratio'),
          legend: 'now',
        },
        {
          expr: of('instance:kvm_memory_promised_maximum_per_capacity:ratio'),
          legend: 'with balloons empty',
        },
      ],
      limit: 'memory.promised_ratio',
      width: 8,
    }),
    graph({
      title: 'Swap there is for the over-commitment',
      description:
        'Swap per memory promised beyond capacity. Good: 1 or more, so that the excess has a ' +
        'place to go. No line: nothing is promised beyond capacity.',
      unit: 'none',
      queries: [
        { expr: capped(of('instance:kvm_host_swap_per_overcommit:ratio')), legend: '{{instance}}' },
      ],
      limit: 'memory.swap_cover_ratio',
      width: 8,
    }),
    graph({
      title: 'Huge page pools',
      description:
        'Huge pages promised to guests and the pool they come from. Good: 100 % or less; ' +
        'above it a guest will not start. No line: no huge pages.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance_page_size:kvm_hugepages_promised_per_capacity:ratio'),
          legend: '{{page_size}} bytes',
        },
      ],
      width: 8,
    }),
    graph({
      title: 'Guests the arithmetic cannot see or move',
      description:
        'Guests whose resident memory is unknown, guests without a balloon, and guests whose ' +
        'balloon frees nothing on the host. Good: 0.',
      unit: 'short',
      queries: [
        { expr: of('kvm_memory_domains_unknown'), legend: 'unknown' },
        {
          expr: of('kvm_memory_domains_without_balloon'),
          legend: 'without balloon',
        },
        {
          expr: of('kvm_memory_domains_balloon_ineffective'),
          legend: 'balloon frees nothing',
        },
      ],
      width: 8,
    }),
  ],
};
