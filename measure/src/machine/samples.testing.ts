/**
 * Machines as people write them, made for these tests.
 * @module
 */

/** A script as it lies beside a guest's files. */
export const SNP_SCRIPT = `#!/bin/bash
# Starts the guest; Ctrl-] is passed on.
set -eu
cd "$(dirname "$0")"
command -v qemu-system-x86_64 >/dev/null || exit 1

sudo -E qemu-system-x86_64 \\
    -enable-kvm -cpu EPYC-v4 -smp 4,maxcpus=8 -m 4G,slots=5,maxmem=10G \\
    -machine q35,vmport=off -no-reboot \\
    -machine confidential-guest-support=sev0,memory-backend=ram1 \\
    -object memory-backend-memfd,id=ram1,size=4G,share=true,prealloc=false \\
    -object sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1,policy=0x30000,kernel-hashes=on \\
    -bios "/srv/my guests/OVMF.amdsev.fd" \\
    -kernel ./vmlinuz -initrd initrd.img \\
    -append 'console=ttyS0 root=/dev/vda1  note=$HOME#1' \\
    -drive file=disk.qcow2,if=none,id=disk0,format=qcow2 \\
    -device virtio-scsi-pci,id=scsi0,disable-legacy=on,iommu_platform=true \\
    -nographic -monitor none 2>&1 | tee guest.log &
wait
`;

/** What ps prints of a guest that libvirt started: JSON without quotes around it, a command line without any. */
export const ES_PS_LINE: string =
  `libvirt+    4711       1 37 09:00 ?        00:11:08 /usr/bin/qemu-system-x86_64 -name guest=db,debug-threads=on -S ` +
  `-object {"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain-1-db/master-key.aes"} ` +
  `-blockdev {"driver":"file","filename":"/usr/share/OVMF/OVMF_CODE.fd","node-name":"libvirt-pflash0-storage","auto-read-only":true,"discard":"unmap"} ` +
  `-blockdev {"node-name":"libvirt-pflash0-format","read-only":true,"driver":"raw","file":"libvirt-pflash0-storage"} ` +
  `-blockdev {"driver":"file","filename":"/var/lib/libvirt/qemu/nvram/db_VARS.fd","node-name":"libvirt-pflash1-storage"} ` +
  `-blockdev {"node-name":"libvirt-pflash1-format","read-only":false,"driver":"raw","file":"libvirt-pflash1-storage"} ` +
  `-machine pc-q35-9.1,usb=off,smm=off,pflash0=libvirt-pflash0-format,pflash1=libvirt-pflash1-format,confidential-guest-support=lsec0,acpi=on ` +
  `-accel kvm -cpu EPYC-Rome,x2apic=on,svm=off -m size=2097152k -overcommit mem-lock=off -smp 2,sockets=2,cores=1,threads=1 ` +
  `-uuid 6c3ae1c2-8d66-4b18-a37b-7f4f4c7f9a10 -no-user-config -nodefaults -rtc base=utc -no-shutdown -boot strict=on ` +
  `-kernel /var/lib/guests/vmlinuz -initrd /var/lib/guests/initrd -append ro console=ttyS0,115200 panic=-1 -- single ` +
  `-object {"qom-type":"sev-guest","id":"lsec0","cbitpos":51,"reduced-phys-bits":1,"policy":7,"kernel-hashes":true} ` +
  `-sandbox on,obsolete=deny -msg timestamp=on\n`;

/** The arguments of the SNP guest as /proc/PID/cmdline holds them. */
export const SNP_ARGUMENTS: readonly string[] = [
  "/opt/qemu/bin/qemu-system-x86_64",
  ...["-accel", "kvm", "-machine", "q35,confidential-guest-support=snp", "-cpu", "EPYC-Milan", "-smp", "2"],
  ...["-object", "sev-snp-guest,id=snp,cbitpos=51,reduced-phys-bits=1,kernel-hashes=on"],
  ...["-bios", "OVMF.fd", "-kernel", "vmlinuz", "-append", ""],
];

/** A domain of libvirt's for SEV-SNP. */
export const SNP_DOMAIN = `<?xml version='1.0' encoding='UTF-8'?>
<!-- virsh dumpxml vault -->
<domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>vault</name>
  <memory unit='KiB'>4194304</memory>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <vcpu placement='static' current='2'>4</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-9.2'>hvm</type>
    <loader stateless='yes'>/usr/share/edk2/ovmf, next/OVMF.amdsev.fd</loader>
    <kernel>/srv/vault/vmlinuz</kernel>
    <initrd>/srv/vault/initrd.zst</initrd>
    <cmdline>console=ttyS0 quote=&quot;a &amp; b&quot;  </cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='custom' match='exact' check='full'>
    <model fallback='forbid'>EPYC-Genoa</model>
    <topology sockets='1' dies='1' clusters='1' cores='4' threads='1'/>
    <feature policy='require' name='x2apic'/>
  </cpu>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>
  <launchSecurity type='sev-snp' authorKey='no' vcek='yes' kernelHashes='yes'>
    <cbitpos>51</cbitpos>
    <reducedPhysBits>1</reducedPhysBits>
    <policy>0x00030000</policy>
    <hostData>AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=</hostData>
  </launchSecurity>
</domain>
`;

/** A configuration of Kata's for SEV-SNP, with the keys that matter and some that do not. */
export const SNP_KATA = `# Kata Containers on SEV-SNP
[hypervisor.qemu]
path = "/opt/kata/bin/qemu-system-x86_64-snp-experimental"
kernel = "/opt/kata/share/kata-containers/vmlinuz-confidential.container"
initrd = "/opt/kata/share/kata-containers/kata-containers-initrd-confidential.img"
machine_type = "q35"
confidential_guest = true
sev_snp_guest = true
firmware = "/opt/kata/share/ovmf/AMDSEV.fd"
firmware_volume = ""
kernel_params = "agent.debug_console cgroup_no_v1=all"
cpu_features = "pmu=off"
default_vcpus = 1
default_maxvcpus = 0
snp_guest_policy = 196608
enable_annotations = ["enable_iommu", "kernel_params", "default_vcpus"]

[agent.kata]
enable_debug = false

[runtime]
static_sandbox_resource_mgmt = true
`;
