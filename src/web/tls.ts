import type { Server, ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';

import type { ClientAuth, TlsConfig } from '../config/web-config.ts';

/** The settings for Node's HTTPS server, and for renewing them while it runs. */
export function tlsOptions(tls: TlsConfig): ServerOptions {
  return {
    cert: tls.certificate,
    key: tls.key,
    ca: tls.clientAuthority,
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    ciphers: tls.ciphers,
    honorCipherOrder: tls.prefersOwnCiphers,
    ecdhCurve: tls.curves,
    requestCert: tls.clientAuth !== 'NoClientCert',
    rejectUnauthorized: tls.clientAuth === 'RequireAndVerifyClientCert',
  };
}

/** Hangs up on clients that OpenSSL lets in and the configuration does not. */
export function refuseClients(server: Server, clientAuth: ClientAuth): void {
  server.on('secureConnection', (socket) => {
    if (!isWelcome(socket, clientAuth)) socket.destroy();
  });
}

function isWelcome(socket: TLSSocket, clientAuth: ClientAuth): boolean {
  const hasCertificate = Object.keys(socket.getPeerCertificate()).length > 0;
  switch (clientAuth) {
    case 'RequireAnyClientCert':
      return hasCertificate;
    case 'VerifyClientCertIfGiven':
      return !hasCertificate || socket.authorized;
    case 'RequireAndVerifyClientCert':
      return hasCertificate && socket.authorized;
    case 'RequestClientCert':
    case 'NoClientCert':
      return true;
  }
}
