import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { formatHex, parseGuid, utf8 } from "@bootproof/bytes";
import { traceReplay } from "../replay.ts";
import { profileNamed } from "../snp/profiles.ts";
import type { SnpShape } from "../snp/shape.ts";
import { directInput, suffix, vectors } from "../snp/vectors.testing.ts";
import { measureSev, measureSevEs, type SevInputs } from "./measure-sev.ts";
import { extendSevLaunchDigest, SEV_START } from "./sev-event.ts";
import { prepareSevEs } from "./sev-launch.ts";
import { resolveSevEs } from "./measure-sev.ts";

interface SevVector {
  readonly name: string;
  readonly profile: string;
  readonly firmware: string;
  readonly vcpus?: number;
  readonly cpu?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly want: string;
}

const digests = vectors<SevVector>("sev-digests.json");
const firmware = suffix("ovmf_AmdSev_suffix.bin");
const milan: SnpShape = { vcpus: 2, cpu: "EPYC-Milan" };

function inputsOf({ firmware: name, kernel, initrd, append }: SevVector): SevInputs {
  return {
    firmware: suffix(name),
    kernel: kernel === undefined ? undefined : directInput(kernel),
    initrd: initrd === undefined ? undefined : directInput(initrd),
    cmdline: append === undefined ? undefined : utf8(append),
  };
}

/** The image with a GUIDed table no longer, and perhaps a bare reset block where the table ended. */
function older(block?: { readonly guid: string; readonly length: number; readonly address: number }) {
  const image = suffix("ovmf_AmdSev_suffix.bin");
  const end = image.length - 32;
  image.fill(0xff, end - 64, end);
  if (block === undefined) return image;
  image.set(parseGuid(block.guid, "GUID"), end - 16);
  const view = new DataView(image.buffer);
  view.setUint16(end - 18, block.length, true);
  view.setUint32(end - 22, block.address, true);
  return image;
}

const RESET_BLOCK = { guid: "00f771de-1a7e-4fcb-890e-68c77e2fb44e", length: 22, address: 0x80b004 };

describe("SEV and SEV-ES launch digests: a guest that boots what was published is recognised", () => {
  it.each(digests)("$name on $firmware", (vector) => {
    const { vcpus = 1, cpu, profile } = vector;
    const measurement =
      profileNamed(profile).platform === "sev"
        ? measureSev(inputsOf(vector))
        : measureSevEs(inputsOf(vector), { profile, vcpus, cpu });
    expect(measurement.registers["launchDigest"]).toBe(vector.want);
  });

  it("replays its events to the digest, one command at a time, as often as asked", () => {
    const inputs = { firmware, kernel: directInput("kernel-a"), cmdline: "quiet" };
    for (const measurement of [measureSev(inputs), measureSevEs(inputs, { ...milan, vcpus: 5 })]) {
      for (const events of [measurement.events, measurement.events]) {
        const steps = [...traceReplay(SEV_START, extendSevLaunchDigest, events)];
        expect(formatHex(steps.at(-1)!.after)).toBe(measurement.registers["launchDigest"]);
        expect(steps).toHaveLength(measurement.platform === "sev" ? 2 : 7);
      }
      expect([...measurement.trace()].at(-1)!.event).toEqual(measurement.events.at(-1));
    }
    expect(() => extendSevLaunchDigest(new Uint8Array(32), measureSev(inputs).events[0]!)).toThrow(
      RangeError,
    );
  });

  it("takes the legacy VM type unless told otherwise, as QEMU does", () => {
    const legacy = measureSevEs({ firmware }, milan);
    expect(legacy.shape.profile).toBe("es-legacy");
    expect(legacy.registers).not.toEqual(
      measureSevEs({ firmware }, { ...milan, profile: "es-init2" }).registers,
    );
  });

  it("gives a ladder the digests of its rungs", () => {
    const { resolved } = resolveSevEs(milan);
    const launch = prepareSevEs(firmware);
    const counts = [1, 2, 3, 64, 512];
    const rungs = [...launch.ladder(resolved, counts)].map(({ launchDigest }) => formatHex(launchDigest));
    expect(rungs).toEqual(counts.map((vcpus) => formatHex(launch.digest({ ...resolved, vcpus }))));
    expect(() => [...launch.ladder(resolved, [2, 1])]).toThrow("ascend");
  });
});

describe("SEV-ES: what KVM and QEMU refuse has no digest", () => {
  it("refuses features of guests that have none, and SNP's", () => {
    const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;
    expect(() => measureSevEs({ firmware }, { ...milan, guestFeatures: 0x20n })).toThrow(code("BP-SEV-001"));
    const init2 = { ...milan, profile: "es-init2" };
    expect(() => measureSevEs({ firmware }, { ...init2, guestFeatures: 0x21n })).toThrow(code("BP-SEV-002"));
    expect(() => measureSevEs({ firmware }, { ...init2, guestFeatures: 1n << 64n })).toThrow(
      code("BP-SEV-002"),
    );
    expect(() => measureSevEs({ firmware }, { ...milan, profile: "qemu" })).toThrow(code("BP-SNP-008"));
    expect(() => measureSev({ firmware }, { vmm: "ec2" })).toThrow(code("BP-SNP-007"));
    const plain = measureSevEs({ firmware }, { ...init2, guestFeatures: 0n }).registers;
    expect(measureSevEs({ firmware }, { ...init2, guestFeatures: 0x20n }).registers).not.toEqual(plain);
  });

  it("reads a bare reset block of older firmware, and needs one for any number of vCPUs", () => {
    const image = older(RESET_BLOCK);
    const [bsp, ap] = measureSevEs({ firmware: image }, milan).events.slice(1);
    const view = new DataView(ap!.bytes.buffer);
    expect(view.getBigUint64(0x018, true) + view.getBigUint64(0x178, true)).toBe(0x80b004n);
    expect(bsp!.bytes).not.toEqual(ap!.bytes);
    const missing = expect.objectContaining({ name: "ParseError", code: "MISSING" }) as Error;
    expect(() => measureSevEs({ firmware: older() }, { ...milan, vcpus: 1 })).toThrow(missing);
    const range = expect.objectContaining({ name: "ParseError", code: "OUT_OF_RANGE" }) as Error;
    for (const change of [{ address: 0 }, { length: 17 }, { length: 0xffff }])
      expect(() => measureSevEs({ firmware: older({ ...RESET_BLOCK, ...change }) }, milan)).toThrow(range);
    const short = expect.objectContaining({ name: "ParseError", code: "TRUNCATED" }) as Error;
    expect(() => measureSevEs({ firmware: older({ ...RESET_BLOCK, length: 20 }) }, milan)).toThrow(short);
  });

  it("starts plain SEV without a table and says so, but measures no kernel there", () => {
    const { warnings } = measureSev({ firmware: older() });
    expect(warnings.map(({ code }) => code)).toEqual(["BP-SEV-101"]);
    const missing = expect.objectContaining({ name: "ParseError", code: "MISSING" }) as Error;
    expect(() => measureSev({ firmware: older(), kernel: firmware })).toThrow(missing);
    expect(() => measureSev({ firmware: suffix("ovmf_OvmfX64_suffix.bin"), kernel: firmware })).toThrow(
      missing,
    );
    expect(() => measureSev({ firmware: new Uint8Array(100) })).toThrow("firmware image size");
  });

  it("gives a digest or a ParseError for any change of an image", () => {
    const bytes = fc.array(fc.tuple(fc.integer({ min: 3900, max: 4095 }), fc.integer({ min: 0, max: 255 })), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(bytes, (changes) => {
        const image = suffix("ovmf_AmdSev_suffix.bin");
        for (const [offset, value] of changes) image[offset] = value;
        try {
          expect(measureSevEs({ firmware: image }, milan).registers["launchDigest"]).toMatch(
            /^[0-9a-f]{64}$/,
          );
        } catch (error) {
          expect(error).toMatchObject({ name: "ParseError" });
        }
      }),
    );
  });
});
