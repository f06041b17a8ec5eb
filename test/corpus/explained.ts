import type { Explanation } from './report.ts';

/** Differences to the readings of others that are right to be there, each with the reason. */
export const EXPLAINED: readonly Explanation[] = [
  {
    file: /^linux-(?:ppc64-subcores[123]|x86_64-test[34])\.expected$/,
    text: /^nodes: 1, /,
    why:
      'the test data has links to the CPUs of a node, and not the cpulist that the kernel has ' +
      'beside them (drivers/base/node.c), which we read',
  },
  {
    file: /^linux-(?:x86_64-test8|s390x-with-frequency|ppc64-deconf-cpus)\.expected$/,
    text: /^threads: \d, 1$/,
    why:
      'where nodes, sockets, cores and threads do not multiply to the number of CPUs libvirt says ' +
      'that there is one of each but the cores (virHostCPUGetInfoPopulateLinux: "we\'re going to ' +
      'lie about the detected topology"); we say what threads a core has',
  },
];
