import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { loadWebConfig } from '../../../src/config/web-config-file.ts';

describe('a web configuration that names a certificate nobody can read', () => {
  it('is refused in one line, whatever the name is made of', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'web-config-'));
    try {
      const path = join(directory, 'web.yaml');
      const names = 'cert_file: "a\\e[2J\\n.pem"\n  key_file: b.key\n';
      writeFileSync(path, `tls_server_config:\n  ${names}`);
      const config = await loadWebConfig(path);
      expect(config.ok).toBe(false);
      const errors = config.ok ? [] : config.errors;
      expect(errors).toHaveLength(1);
      expect(errors[0]).toContain('cert_file: ');
      expect(errors[0]).not.toMatch(/\p{Cc}/u);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
