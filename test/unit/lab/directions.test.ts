import { describe, expect, it } from 'vitest';

import { directions } from '../../../lab/directions.ts';

const text = directions({
  root: '/var/tmp/kvm-overcommit-lab/lab-0',
  network: '/run/netns/kvmlab0',
  mount: '/var/tmp/kvm-overcommit-lab/lab-0/ns/mount',
  exporterUrl: 'http://169.254.100.2:9177',
  guests: ['idle', 'burner'],
  uplink: 'uplink0',
  logs: ['/tmp/exporter.log'],
});

describe('what npm run lab prints', () => {
  it('has the address of the page', () => {
    expect(text).toContain('http://169.254.100.2:9177/\n');
  });

  it('has virsh as an alias under which the URI of the runbooks is the lab', () => {
    expect(text).toMatch(
      /^ {2}alias virsh='nsenter --net=\/run\/netns\/kvmlab0 --mount=\S+\/ns\/mount virsh'$/m,
    );
  });

  it('has the labels runbooks ask for as variables of a shell', () => {
    expect(text).toMatch(/^ {2}instance=169\.254\.100\.2:9177 domain=idle device=uplink0$/m);
  });
});
