/**
 * For tests that need another user than their own: opens the URI given as argument and prints how
 * that went, as JSON.
 */
import { AuthError, LibvirtError, openLibvirt } from '../../../src/libvirt/index.ts';

const [uri] = process.argv.slice(2);
try {
  await using connection = await openLibvirt({ uri });
  tell({ type: await connection.getType() });
} catch (error) {
  if (!(error instanceof LibvirtError)) throw error;
  const { kind, message } = error;
  tell({ kind, message, isAuthError: error instanceof AuthError });
}

function tell(what: unknown): void {
  process.stdout.write(JSON.stringify(what));
}
