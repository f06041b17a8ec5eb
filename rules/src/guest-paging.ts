import { promql, type Subject } from './rule.ts';

/** Who pays for memory over-commitment: the guests whose memory has to be brought back. */
export const guestPaging: Subject = {
  name: 'guest-paging',
  recording: [
    {
      record: 'instance_domain:kvm_domain_swap_in_bytes:rate5m',
      expr: promql`
        # By whatever kind of swap, zswap and zram among them; and on every kernel from 5.9 on.
        sum without (kind) (rate(kvm_domain_refault_bytes_total{kind="anonymous"}[5m]))
        or
        rate(kvm_domain_swap_in_bytes_total[5m])
      `,
    },
    {
      record: 'instance_domain:kvm_domain_swap_out_bytes:rate5m',
      expr: 'rate(kvm_domain_swap_out_bytes_total[5m])',
    },
  ],
  alerts: [],
};
