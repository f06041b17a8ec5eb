/**
 * A libvirtd with made-up guests, as a process of its own: `node daemon.ts <guests> <images>`,
 * started with an IPC channel. Sends its URI when it listens and ends when the channel closes.
 */
import { procedures } from '../../src/libvirt/index.ts';
import { FakeDaemon } from '../../test/support/libvirt/fake-daemon.ts';
import { fakeGuests } from '../../test/support/fake-host/fake-guest.ts';
import { fakePools } from '../../test/support/fake-host/fake-pools.ts';
import { EncodedReplies } from '../../test/support/fake-host/replies.ts';

const [count = '', images = ''] = process.argv.slice(2);
const replies = new EncodedReplies(fakeGuests(Number(count), images));
const pools = fakePools(images);
const daemon = await FakeDaemon.listen();
let callbackId = 0;

function poolNamed(name: string) {
  const pool = pools.find((candidate) => candidate.name === name);
  if (pool === undefined) throw new Error(`no pool ${name}`);
  return pool;
}

daemon.on(procedures.getType, () => 'QEMU');
daemon.on(procedures.getLibVersion, () => 9_000_000n);
daemon.on(procedures.getVersion, () => 7_002_000n);
daemon.on(procedures.getUri, () => 'qemu:///system');
daemon.on(procedures.getHostname, () => 'bench');
daemon.on(procedures.eventRegister, () => callbackId++);
daemon.on(procedures.eventDeregister, () => undefined);
daemon.on(procedures.listAllDomains, () => replies.list);
daemon.on(procedures.domainGetXmlDesc, ({ domain }) => replies.xml(domain));
daemon.on(procedures.getAllDomainStats, ({ stats, domains }) => replies.stats(stats, domains));
daemon.on(procedures.listAllStoragePools, () => pools);
daemon.on(procedures.storagePoolGetInfo, ({ name }) => poolNamed(name).info);
daemon.on(procedures.storagePoolGetXmlDesc, ({ object }) => poolNamed(object.name).xml);

process.on('disconnect', () => {
  void daemon.close();
});
process.send?.(daemon.uri);
