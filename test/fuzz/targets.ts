import { domainXml } from './domain-xml.ts';
import { exposition } from './exposition.ts';
import { httpRequests } from './http-requests.ts';
import { imageHeaders } from './image-headers.ts';
import { imageNames } from './image-names.ts';
import { kernelFiles } from './kernel-files.ts';
import { policyFile } from './policy-file.ts';
import { poolXml } from './pool-xml.ts';
import { pveConf } from './pve-conf.ts';
import { rpcConnection } from './rpc-connection.ts';
import { rpcDecoders } from './rpc-decoders.ts';
import type { Target } from './target.ts';
import { webConfigFile } from './web-config-file.ts';

export const TARGETS: readonly Target[] = [
  rpcDecoders,
  rpcConnection,
  imageHeaders,
  imageNames,
  domainXml,
  poolXml,
  kernelFiles,
  policyFile,
  webConfigFile,
  pveConf,
  exposition,
  httpRequests,
];
