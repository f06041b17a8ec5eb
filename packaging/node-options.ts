import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { REPOSITORY } from './project.ts';

/**
 * Options with which bin/kvm-overcommit-exporter starts Node: what each is for is said there.
 *
 * @throws Error when the script starts Node in another way.
 */
export function readNodeOptions(): readonly string[] {
  const script = join(REPOSITORY, 'bin/kvm-overcommit-exporter');
  const options = /^exec "\$node" ((?:--\S+ )+)\\$/m.exec(readFileSync(script, 'utf8'))?.[1];
  if (options === undefined) throw new Error(`${script}: no line 'exec "$node" --option ... \\'`);
  return options.trim().split(' ');
}
