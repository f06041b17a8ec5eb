import { only, top, value } from './annotations.ts';
import { beyond } from './limit.ts';
import { AT_LEAST } from './memory.ts';
import { promql, prose, type Subject } from './rule.ts';

const MINIMA = top('kvm_domain_memory_minimum_bytes{@}', 'bytes');

/** Floors of guests: what no balloon can take from them. */
export const memoryMinimum: Subject = {
  name: 'memory-minimum',
  recording: [
    {
      record: 'instance:kvm_memory_minimum_bytes:sum',
      expr: promql`
        # Huge pages come from pools of their own.
        sum without (class) (kvm_memory_minimum_bytes{class!="hugepages"})
      `,
    },
    {
      record: 'instance:kvm_memory_minimum_per_capacity:ratio',
      expr: promql`
        instance:kvm_memory_minimum_bytes:sum
        /
        (kvm_memory_capacity_bytes > 0)
      `,
    },
  ],
  alerts: [
    {
      name: 'KvmMemoryFloorOverPromised',
      summary: 'Guests cannot be shrunk to what a host has.',
      description: prose`
        What guests on {{ $labels.instance }} cannot be shrunk below is ${value('percent')} of the memory
        it can give: ${AT_LEAST}${only('instance:kvm_memory_minimum_bytes:sum{@}', 'bytes', 'unknown')} of
        ${only('kvm_memory_capacity_bytes{@}', 'bytes', 'unknown')}. No balloon helps any more, only
        swap. Highest floors: ${MINIMA}. Move one of them away or lower its guarantee.
      `,
      dashboard: { uid: 'kvm-memory', variables: ['cluster', 'job', 'instance'] },
      at: { warning: { for: '10m' } },
      expr: () => promql`
        instance:kvm_memory_minimum_per_capacity:ratio
        ${beyond('memory.minimum_ratio', 'warning')}
      `,
    },
  ],
};
