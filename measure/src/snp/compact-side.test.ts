import { describe, expect, it } from "vitest";

import { explain } from "../explain/index.ts";
import type { Side } from "../explain/side.ts";
import { compactSide } from "./compact-side.ts";
import { hashDirectBoot } from "./kernel-hashes.ts";
import { prepareSnp } from "./launch.ts";
import { snpProfile } from "./profiles.ts";
import { referenceOf } from "./reference.ts";
import { suffix } from "./vectors.testing.ts";

const FIRMWARE = suffix("ovmf_AmdSev_suffix.bin");
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Release {
  readonly firmware?: Uint8Array;
  readonly kernel?: string;
  readonly cmdline?: string;
  readonly profile?: string;
  readonly cpus?: readonly string[];
}

function side({
  firmware = FIRMWARE,
  kernel,
  cmdline = "quiet",
  profile = "qemu",
  cpus = ["EPYC-v4"],
}: Release): Side {
  const boot =
    kernel === undefined ? undefined : hashDirectBoot({ kernel: utf8(kernel), cmdline: utf8(cmdline) });
  const launch = prepareSnp(firmware, boot, snpProfile(profile));
  return compactSide(
    referenceOf(
      launch,
      cpus.map((cpu) => ({ vcpus: 1, cpu, profile })),
    ),
  );
}

describe("explaining two releases by their compact references", () => {
  it.each([
    ["nothing", { kernel: "k" }, { kernel: "k" }, "same", undefined],
    ["the kernel", { kernel: "k" }, { kernel: "K" }, "differs", "kernel"],
    ["the command line", { kernel: "k" }, { kernel: "k", cmdline: "loud" }, "differs", "cmdline"],
    ["a measured kernel", {}, { kernel: "k" }, "differs", "kernelHashes"],
    ["the firmware", {}, { firmware: FIRMWARE.with(0xbb0, 0) }, "differs", "firmware"],
    ["the profile", {}, { profile: "qemu-amdese-old" }, "differs", "profile"],
    ["more shapes", {}, { cpus: ["EPYC-v4", "EPYC-Milan"] }, "same", undefined],
  ] as const)("names %s", (_name, a, b, verdict, subject) => {
    const explanation = explain(side(a), side(b));
    expect([explanation.verdict, explanation.first?.subject]).toEqual([verdict, subject]);
  });
});
