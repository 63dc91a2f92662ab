import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";

import { measureSnp } from "../snp/measure-snp.ts";
import { suffix } from "../snp/vectors.testing.ts";
import type { MachineDescription } from "./description.ts";
import { parseKataConfiguration } from "./parse-kata.ts";
import { parseLibvirtDomain } from "./parse-libvirt.ts";
import { parseQemuCommandLine } from "./parse-qemu.ts";
import { ES_PS_LINE, SNP_DOMAIN, SNP_KATA, SNP_SCRIPT } from "./samples.testing.ts";
import { type GivenParts, type MachineShape, toShape } from "./to-shape.ts";

const ready = (description: MachineDescription, given?: GivenParts): MachineShape & { ready: true } => {
  const shape = toShape(description, given);
  if (!shape.ready) throw new Error(`not ready: ${JSON.stringify(shape)}`);
  return shape;
};

describe("toShape", () => {
  it("measures a machine as the same options by hand do", () => {
    const { platform, shape, files, cmdline } = ready(parseQemuCommandLine(SNP_SCRIPT));
    expect(platform).toBe("snp");
    expect(files).toEqual({
      firmware: "/srv/my guests/OVMF.amdsev.fd",
      kernel: "./vmlinuz",
      initrd: "initrd.img",
    });
    const inputs = {
      firmware: suffix("ovmf_AmdSev_suffix.bin"),
      kernel: utf8("kernel"),
      initrd: utf8("initrd"),
    };
    const byHand = measureSnp(
      { ...inputs, cmdline: utf8("console=ttyS0 root=/dev/vda1  note=$HOME#1") },
      { vmm: "qemu", vcpus: 4, cpu: "EPYC-v4" },
    );
    expect(measureSnp({ ...inputs, cmdline: utf8(cmdline ?? "?") }, shape).registers).toEqual(
      byHand.registers,
    );
  });

  it("gives the profile that the definition points to", () => {
    expect(ready(parseQemuCommandLine(ES_PS_LINE)).shape).toMatchObject({
      profile: "es-legacy",
      vcpus: 2,
      cpu: "EPYC-Rome",
    });
  });

  it("leaves out a kernel that is not measured", () => {
    const description = parseQemuCommandLine(SNP_SCRIPT.replace(",kernel-hashes=on", ""));
    const shape = ready(description);
    expect(shape.files).toEqual({ firmware: "/srv/my guests/OVMF.amdsev.fd" });
    expect(shape.cmdline).toBeUndefined();
  });

  it("measures an absent command line as an empty one", () => {
    expect(ready(parseLibvirtDomain(SNP_DOMAIN.replace(/<cmdline>.*<\/cmdline>/, ""))).cmdline).toBe("");
  });

  it("says what is missing, until it is given", () => {
    const description = parseKataConfiguration(SNP_KATA);
    expect(toShape(description)).toMatchObject({
      ready: false,
      missing: [{ what: "cmdline" }, { what: "vcpus" }],
      stops: [],
    });
    expect(toShape(description, { vcpus: 2 })).toMatchObject({
      ready: false,
      missing: [{ what: "cmdline" }],
    });
    expect(ready(description, { vcpus: 2, cmdline: "tsc=reliable" })).toMatchObject({
      shape: { vcpus: 2, cpu: "EPYC-v4" },
      cmdline: "tsc=reliable",
    });
  });

  it("lets what is given win, the CPU as a whole", () => {
    const description = parseLibvirtDomain(SNP_DOMAIN);
    const { shape, files } = ready(description, {
      vcpuSig: 0xa00f11,
      vcpus: 7,
      firmware: "g",
      guestFeatures: 0x21n,
      profile: "qemu-debug-swap",
    });
    expect(shape).toMatchObject({
      vcpuSig: 0xa00f11,
      vcpus: 7,
      guestFeatures: 0x21n,
      profile: "qemu-debug-swap",
    });
    expect(shape.cpu).toBeUndefined();
    expect(files.firmware).toBe("g");
    expect(ready(description, { kernel: "k2", initrd: "i2" }).files).toMatchObject({
      kernel: "k2",
      initrd: "i2",
    });
    expect(ready(description, { igvm: "x" }).files).toEqual({
      igvm: "x",
      kernel: "/srv/vault/vmlinuz",
      initrd: "/srv/vault/initrd.zst",
    });
  });

  it("takes the host's CPU from whoever knows it", () => {
    const description = parseLibvirtDomain(SNP_DOMAIN.replace("mode='custom'", "mode='host-passthrough'"));
    expect(toShape(description)).toMatchObject({ ready: false, missing: [{ what: "cpu" }] });
    expect(ready(description, { family: 25, model: 17, stepping: 1 }).shape).toMatchObject({
      family: 25,
      model: 17,
      stepping: 1,
    });
  });

  it("passes on a signature that is put together", () => {
    const description = parseQemuCommandLine(SNP_SCRIPT.replace("-cpu EPYC-v4", "-cpu EPYC-v4,stepping=3"));
    expect(ready(description).shape).toMatchObject({ family: 23, model: 1, stepping: 3 });
  });

  it("gives no shape of a machine that does not start, whatever is given", () => {
    const description = parseQemuCommandLine(SNP_SCRIPT.replace("-bios", "-pflash"));
    expect(toShape(description, { firmware: "f" })).toMatchObject({
      ready: false,
      missing: [],
      stops: [{ code: "BP-MACHINE-102" }],
    });
  });

  it("gives no shape without a platform, until it is given", () => {
    const description = parseKataConfiguration(SNP_KATA.replace("sev_snp_guest = true", ""));
    const given = { vcpus: 1, cmdline: "x" };
    expect(toShape(description, given)).toMatchObject({ ready: false, missing: [{ what: "platform" }] });
    expect(ready(description, { ...given, platform: "sev" }).platform).toBe("sev");
  });
});
