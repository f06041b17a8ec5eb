import { createHash } from 'node:crypto';

import type { StyleElement } from './html.ts';
import { STYLE } from './style.ts';

/**
 * Content-Security-Policy of the pages: their own style, by its hash, scripts and requests from and to
 * where they came from, and forms that lead back there. Whatever else might find its way into a page neither runs nor loads.
 */
export const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src ${computeHash(STYLE)}`,
  "script-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

function computeHash({ content }: StyleElement): string {
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
