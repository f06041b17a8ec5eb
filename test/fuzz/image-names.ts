import {
  imageReference,
  visibleNetworkName,
  visibleReference,
} from '../../src/model/facts/image-reference.ts';
import { mangled } from './mangle.ts';
import { simple, type Target } from './target.ts';

/** Never to be seen; in every place of a name where somebody writes one. */
const SECRET = 's3cr3tPassw0rd';

const NAMES = [
  `https://user:${SECRET}@example.org/img/base.qcow2`,
  `https://example.org:8080/base.qcow2?token=${SECRET}#${SECRET}`,
  `rbd:vms/disk1@snap:id=admin:key=${SECRET}:auth_supported=cephx`,
  `nbd://user:${SECRET}@host:10809/export`,
  `nbd:unix:/run/nbd.sock:exportname=disk`,
  `iscsi://user%${SECRET}@host/iqn.2001-04.com.example:disk/0`,
  `ssh://user:${SECRET}@host/srv/a.img`,
  `json:{"driver":"qcow2","file":{"driver":"https","url":"https://h/a","cookie":"${SECRET}"}}`,
  `json:{"driver":"raw","file":{"driver":"file","filename":"/srv/a.img"},"offset":512,"size":1024}`,
  `json:{"file.driver":"rbd","file.pool":"vms","file.image":"a","file.key":"${SECRET}"}`,
  'gluster+tcp://host:24007/vol/dir/a.img?debug=4',
  'sheepdog:host:7000:disk:snap',
];

/** What comes behind a user's name or a key is gone for certain in names that are whole. */
const PATHS = ['/srv/base.qcow2', 'base.qcow2', '../a b/ü.img', 'file:/srv/a.img', 'a:b', './a:b'];

/** The names in headers: read as QEMU reads them, shown without what is nobody's business. */
export const imageNames: Target = {
  name: 'image-names',
  open() {
    return simple((pick) => {
      const all = [...NAMES, ...PATHS];
      const good = all[pick(all.length)] ?? '';
      const name = mangled(good, pick, ['%00', '@', '://', 'json:', `:${SECRET}@`]);
      const reference = imageReference(name, '/srv/images/top.qcow2');
      const shown = visibleReference(name);
      visibleNetworkName('rbd', name);
      if (reference.kind === 'path') {
        if (!reference.path.startsWith('/')) throw new Error(`not absolute: ${reference.path}`);
        return 'value';
      }
      if (name === good && shown.includes(SECRET)) throw new Error(`shown: ${shown}`);
      if (shown !== reference.visible) throw new Error(`${shown} is not ${reference.visible}`);
      return 'refusal';
    });
  },
};
