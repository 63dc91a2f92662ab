/**
 * QEMU's options: which exist on x86, and which take the next word as argument (qemu-options.hx, QEMU 7.2 to 11.1,
 * and options that older releases had).
 * @module
 */

const WITH_ARGUMENT = new Set(
  `M machine cpu accel smp numa add-fd set global boot m mem-path k audio audiodev soundhw device name uuid
  fda fdb hda hdb hdc hdd cdrom blockdev drive mtdblock sd pflash fsdev virtfs iscsi usbdevice display spice rotate
  vga g vnc acpitable smbios netdev nic net chardev tpmdev bt bios kernel shim append initrd dtb compat fw_cfg serial
  parallel monitor qmp qmp-pretty mon debugcon pidfile overcommit realtime gdb d D dfilter seed L xen-domid loadvm
  option-rom rtc icount watchdog watchdog-action echr virtioconsole incoming tb-size chroot runas user sandbox
  readconfig writeconfig trace plugin msg dump-vmstate object action run-with balloon prom-env semihosting-config`.split(
    /\s+/,
  ),
);

const FLAGS = new Set(
  `h help version audio-help mem-prealloc snapshot usb nographic portrait curses no-frame no-quit alt-grab ctrl-grab
  sdl full-screen win2k-hack no-fd-bootchk no-acpi no-hpet singlestep one-insn-per-tb preconfig S s enable-kvm
  no-kvm disable-kvm no-kvm-irqchip xen-attach xen-domid-restrict no-reboot no-shutdown daemonize only-migratable
  nodefaults no-user-config nodefconfig enable-sync-profile async-teardown enable-fips enable-hax tdf perfmap jitdump
  show-cursor semihosting old-param no-xenstore xen-create`.split(/\s+/),
);

/** The option that a word is, without its one or two dashes; undefined for a word that is none. */
export function optionName(word: string): string | undefined {
  return /^--?([^-].*)$/s.exec(word)?.[1];
}

/** Whether an option takes the next word; undefined for one that no QEMU has. */
export function takesArgument(name: string): boolean | undefined {
  if (WITH_ARGUMENT.has(name)) return true;
  return FLAGS.has(name) ? false : undefined;
}
