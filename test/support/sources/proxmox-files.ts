/** Shaped like what qemu-server 9 writes: sorted keys, a pending change, a snapshot. */
export const VM_100 = `#web%3A front end
balloon: 1024
cores: 2
cpulimit: 1.5
cpuunits: 200
ide2: local:iso/debian.iso,media=cdrom,size=600M
ide3: local-lvm:vm-100-cloudinit,media=cdrom
memory: 4096
name: web
net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1,rate=12.5,tag=30,queues=2
numa: 0
onboot: 1
ostype: l26
scsi0: local-lvm:vm-100-disk-0,discard=on,iothread=1,mbps_rd=50,iops_wr=500,size=32G,ssd=1
scsi1: local:100/vm-100-disk-1.qcow2,cache=writeback,size=100G
scsihw: virtio-scsi-single
shares: 2000
smbios1: uuid=6a1f8f0e-3c1b-4a43-9a55-0d1f7b7b0c11
sockets: 1
startup: order=2,up=30
tags: prod;web
unused0: local-lvm:vm-100-disk-2

[PENDING]
memory: 8192
delete: balloon

[before-upgrade]
memory: 2048
scsi0: local-lvm:vm-100-disk-0,size=32G
snaptime: 1760000000
`;

/** Shaped like what pve-storage 9 writes. */
export const STORAGE_CFG = `dir: local
	path /var/lib/vz
	content iso,vztmpl,images

lvmthin: local-lvm
	thinpool data
	vgname pve
	content rootdir,images

lvm: thick
	vgname vg1

zfspool: tank
	pool tank/data

zfspool: sparse
	pool rpool/data
	sparse

nfs: share
	server 192.0.2.1
	export /srv

rbd: ceph
	pool vms
`;
