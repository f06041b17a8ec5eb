import { describe, expect, it } from 'vitest';

import { AddressError, resolveAddress } from '../../../src/libvirt/index.ts';

const environment = {
  systemDirectories: ['/run/libvirt', '/var/run/libvirt'],
  userRuntimeDirectory: '/run/user/1000',
};

describe('a libvirt URI', () => {
  it('of the system QEMU driver leads to the modular daemon, then to libvirtd, read-only', () => {
    expect(resolveAddress('qemu:///system', environment)).toEqual({
      uri: 'qemu:///system',
      sockets: [
        '/run/libvirt/virtqemud-sock-ro',
        '/run/libvirt/libvirt-sock-ro',
        '/var/run/libvirt/virtqemud-sock-ro',
        '/var/run/libvirt/libvirt-sock-ro',
      ],
    });
  });

  it('of a session leads to the user’s daemons, which have no read-only socket', () => {
    expect(resolveAddress('qemu:///session', environment).sockets).toEqual([
      '/run/user/1000/libvirt/virtqemud-sock',
      '/run/user/1000/libvirt/libvirt-sock',
    ]);
  });

  it('of the test driver leads to libvirtd alone', () => {
    expect(resolveAddress('test:///default', environment)).toEqual({
      uri: 'test:///default',
      sockets: ['/run/libvirt/libvirt-sock-ro', '/var/run/libvirt/libvirt-sock-ro'],
    });
  });

  it('may name its socket, which is then the only one tried and not part of the opened URI', () => {
    expect(resolveAddress('qemu+unix:///system?socket=/srv/lv/sock-ro', environment)).toEqual({
      uri: 'qemu:///system',
      sockets: ['/srv/lv/sock-ro'],
    });
  });

  it('may choose the kind of daemon', () => {
    const sockets = (uri: string) => resolveAddress(uri, environment).sockets[0];
    expect(sockets('qemu:///system?mode=legacy')).toBe('/run/libvirt/libvirt-sock-ro');
    expect(sockets('qemu:///system?mode=direct')).toBe('/run/libvirt/virtqemud-sock-ro');
  });

  it.each([
    'qemu+ssh://host/system',
    'qemu+tls:///system',
    'qemu://host/system',
    'qemu:',
    'not a uri',
    'qemu:///system?socket=relative',
    'qemu:///system?mode=fast',
    'test:///default?mode=direct',
  ])('%s is refused with a reason', (uri) => {
    expect(() => resolveAddress(uri, environment)).toThrow(AddressError);
  });

  it('of a session without a runtime directory is refused', () => {
    expect(() => resolveAddress('qemu:///session', { userRuntimeDirectory: undefined })).toThrow(
      'XDG_RUNTIME_DIR',
    );
  });
});
