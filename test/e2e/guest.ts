/**
 * Booting a guest in QEMU by software emulation, with no SEV: what QEMU would do for an SEV guest is done by hand. The
 * kernel hashes table goes where the firmware looks for it, and the blobs under the names it reads them by, so that
 * the real firmware checks the real kernel, initrd and command line before it starts them.
 * @module
 */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { encodeKernelHashes, hashDirectBoot } from "@bootproof/measure/snp";
import { parseGuidTable, parseHashTableArea } from "@bootproof/ovmf";
import { execa } from "execa";

/** Paths of a guest's artifacts. */
export interface Guest {
  readonly firmware: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly cmdline: string;
}

/** Boots until the guest powers off or `seconds` have passed; returns its serial console. `folder` takes small files. */
export async function bootGuest(
  guest: Guest,
  folder: string,
  seconds: number,
  table?: Uint8Array,
): Promise<string> {
  const cmdline = await readFile(guest.cmdline);
  const hashes = table ?? (await kernelHashes(guest));
  const hashTable = parseHashTableArea(parseGuidTable(await readFile(guest.firmware)));
  if (hashTable === undefined) throw new Error("the firmware names no hash table area");
  await writeFile(path.join(folder, "hashes"), hashes);
  await writeFile(path.join(folder, "cmdline"), Buffer.concat([cmdline, Buffer.alloc(1)]));
  const blobs = [
    ["kernel", guest.kernel],
    ["initrd", guest.initrd],
    ["cmdline", path.join(folder, "cmdline")],
  ].flatMap(([name, file]) => ["-fw_cfg", `name=etc/boot/${name ?? ""},file=${file ?? ""}`]);
  const { all } = await execa(
    "qemu-system-x86_64",
    [
      ...[
        "-machine",
        "q35,accel=tcg",
        "-cpu",
        "EPYC",
        "-m",
        "512",
        "-nodefaults",
        "-display",
        "none",
        "-no-reboot",
      ],
      ...["-serial", "stdio", "-bios", guest.firmware, ...blobs, "-device"],
      `loader,file=${path.join(folder, "hashes")},addr=0x${hashTable.guestAddress.toString(16)},force-raw=on`,
    ],
    { reject: false, timeout: seconds * 1000, stdin: "ignore", all: true },
  );
  return all;
}

/** The table that QEMU makes of a guest's kernel, initrd and command line, as the launch digest covers it. */
export async function kernelHashes(guest: Guest): Promise<Uint8Array> {
  const [kernel, initrd, cmdline] = await Promise.all(
    [guest.kernel, guest.initrd, guest.cmdline].map(async (file) => new Uint8Array(await readFile(file))),
  );
  return encodeKernelHashes(hashDirectBoot({ kernel: kernel!, initrd, cmdline }));
}
