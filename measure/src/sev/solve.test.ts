import { describe, expect, it } from "vitest";
import { concatBytes, sha256, type Sha256, utf8 } from "@bootproof/bytes";
import { hashDirectBoot } from "../snp/kernel-hashes.ts";
import { inputs, suffix } from "../snp/vectors.testing.ts";
import { resolveSevEs } from "./measure-sev.ts";
import { prepareSev, prepareSevEs } from "./sev-launch.ts";
import { solveSev } from "./solve.ts";
import type { SevClaim } from "./solve-space.ts";

const end = suffix("ovmf_AmdSev_suffix.bin");
const firmware = concatBytes(new Uint8Array(Math.ceil(end.length / 4096) * 4096 - end.length), end);
const [kernel, initrd] = [inputs.get("kernel-bz")!, utf8("an initrd")];
const direct = { kernel, initrd, cmdline: utf8("console=ttyS0") };
const boot = { kernel: sha256(kernel), initrd: sha256(initrd), cmdline: direct.cmdline };
const claim: SevClaim = {
  platform: "sev-es",
  firmware,
  boot,
  vcpus: 2,
  cpu: { signature: 0x800f12, model: "EPYC-v4" },
};

interface Reality {
  readonly profile?: string;
  readonly vcpus?: number;
  readonly vcpuSig?: number;
  readonly guestFeatures?: bigint;
  readonly cmdline?: string;
  readonly hashes?: boolean;
}

function reported({ cmdline = "console=ttyS0", hashes, ...shape }: Reality): Sha256 {
  const { resolved } = resolveSevEs({ vcpus: 2, vcpuSig: 0x800f12, ...shape });
  const digests = hashes === false ? undefined : hashDirectBoot({ ...direct, cmdline: utf8(cmdline) });
  return prepareSevEs(firmware, digests, resolved.profile).digest(resolved);
}

const named = (observed: Sha256, from: SevClaim = claim) => {
  const { verdict, match } = solveSev(from, observed);
  return [verdict, ...(match?.differences ?? []).map(({ input, found }) => `${input}: ${found}`)];
};

describe("solveSev: which SEV or SEV-ES guest gave this launch digest", () => {
  it("says yes to the inputs as given", () => {
    expect(named(reported({}))).toEqual(["match"]);
  });

  it.each<[string, Reality, string]>([
    ["a wrong number of vCPUs", { vcpus: 16 }, "vcpus: 16 vCPUs"],
    ["the new VM type", { profile: "es-init2" }, "profile: profile es-init2"],
    ["another CPU", { vcpuSig: 0xa10f11 }, "cpu: CPU signature 0xa10f11 (Genoa)"],
    [
      "a newline at the end",
      { cmdline: "console=ttyS0\n" },
      "cmdline: command line with a newline at its end",
    ],
    ["kernel hashes off", { hashes: false }, "kernelHashes: kernel hashes off"],
  ])("%s is named first, and alone", (_name, reality, difference) => {
    expect(named(reported(reality))).toEqual(["other-shape", difference]);
  });

  it("tells who took QEMU's default for what sev-snp-measure computes that they differ", () => {
    const { match } = solveSev(claim, reported({ profile: "es-init2" }));
    expect(match?.differences[0]?.cause).toContain("sev-snp-measure");
  });

  it("finds guest features where the VM type takes them", () => {
    expect(named(reported({ profile: "es-init2", guestFeatures: 0x20n }))).toEqual([
      "other-shape",
      "profile: profile es-init2",
      "guestFeatures: guest features 0x20 (DebugSwap)",
    ]);
  });

  it("finds a guest of plain SEV behind the claim of SEV-ES, and the other way round", () => {
    const plain = prepareSev(firmware, hashDirectBoot(direct)).sevDigest();
    expect(named(plain)).toEqual(["other-shape", "vcpus: plain SEV, without VMSAs"]);
    const sev: SevClaim = { platform: "sev", firmware, boot };
    expect(named(plain, sev)).toEqual(["match"]);
    expect(named(reported({}), sev)).toEqual([
      "other-shape",
      "vcpus: 2 vCPUs",
      "profile: profile es-legacy",
      "cpu: CPU EPYC (0x800f12)",
    ]);
  });

  it("takes no guest of plain SEV for one of SEV-ES whose number of vCPUs is not known", () => {
    const plain = prepareSev(firmware, hashDirectBoot(direct)).sevDigest();
    const open = { ...claim, vcpus: undefined };
    expect(named(plain, open)).toEqual(["other-shape", "vcpus: plain SEV, without VMSAs"]);
    expect(named(plain, { ...open, platformOpen: true })).toEqual([
      "match",
      "vcpus: plain SEV, without VMSAs",
    ]);
  });

  it("says what it tried when nothing matches", () => {
    const solution = solveSev(claim, sha256(utf8("another guest")), {
      goOn: ({ digests }) => digests < 20_000,
    });
    expect(solution).toMatchObject({ verdict: "none", finding: undefined });
    expect(solution.stages[0]).toMatchObject({ name: "the inputs as given", complete: true });
  });
});
