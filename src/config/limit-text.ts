import type { LimitDeclaration } from './policy-defaults.ts';
import { formatBytes, formatDuration, formatShare } from './quantity.ts';

/** A limit's value as the file would have it. */
export function limitText({ unit }: Pick<LimitDeclaration, 'unit'>, value: number): string {
  switch (unit) {
    case 'share':
      return formatShare(value);
    case 'seconds':
      return formatDuration(value);
    case 'bytes':
    case 'bytes_per_second':
      return formatBytes(value);
    case 'ratio':
    case 'per_second':
    case 'count':
      return String(value);
  }
}
