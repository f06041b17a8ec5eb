import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from '../../../lab/command.ts';

const DAYS = ['-days', '2'];
/** Small and quick, and as good as any for a test. */
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Makes `<name>.pem` and `<name>.key`, a certificate authority, in a directory. */
export async function makeAuthority(directory: string, name: string): Promise<void> {
  await openssl(directory, [
    ...['req', '-x509', ...KEY, ...DAYS, '-subj', `/CN=${name}`],
    ...['-keyout', `${name}.key`, '-out', `${name}.pem`],
  ]);
}

/** Makes `<name>.pem` and `<name>.key`, signed by that authority, for 127.0.0.1. */
export async function makeCertificate(
  directory: string,
  name: string,
  authority: string,
): Promise<void> {
  writeFileSync(join(directory, 'names'), 'subjectAltName=IP:127.0.0.1\n');
  await openssl(directory, [
    ...['req', ...KEY, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`],
  ]);
  await openssl(directory, [
    ...['x509', '-req', '-in', `${name}.csr`, ...DAYS, '-extfile', 'names', '-CAcreateserial'],
    ...['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-out', `${name}.pem`],
  ]);
}

async function openssl(directory: string, args: readonly string[]): Promise<void> {
  await run('env', ['-C', directory, 'openssl', ...args]);
}
