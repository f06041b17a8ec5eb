import { createHash } from 'node:crypto';

import type { ConstantElement } from './html.ts';
import { REFRESH_SCRIPT } from './refresh-script.ts';
import { STYLE } from './style.ts';

/**
 * Content-Security-Policy of the page: its own style and script, by their hashes, and requests to
 * where it came from. Whatever else might find its way into the page neither runs nor loads.
 */
export const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src ${computeHash(STYLE)}`,
  `script-src ${computeHash(REFRESH_SCRIPT)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function computeHash({ content }: ConstantElement): string {
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
