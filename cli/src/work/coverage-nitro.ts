/**
 * Says which PCR sees each byte of an enclave image, and what none does.
 * @module
 */
import { EIF_HEADER_SIZE, EIF_SECTION_HEADER_SIZE } from "@bootproof/boot/eif";
import { mapMeasurement } from "@bootproof/measure/coverage";
import { type HashedSection, formatManifest, measureNitro, sectionNames } from "@bootproof/measure/nitro";

import { readEnclaveInput } from "../enclave/enclave-input.ts";
import { openEnclave } from "../enclave/open-enclave.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { type Given, usage } from "../frame/given.ts";
import { formatTable } from "../report/table.ts";
import { formatCoverage } from "./coverage.ts";

/** Options of guests with firmware. */
const GUEST = [
  "ovmf",
  "igvm",
  "svsm",
  "initrd",
  "append",
  "appendFile",
  "vcpus",
  "vcpuType",
  "vcpuSig",
  "region",
];

/** Prints the coverage of an enclave image. */
export async function coverageNitro(context: Context, given: Given): Promise<ExitCode> {
  if (GUEST.some((name) => given.has(name)))
    throw usage(
      "an enclave has no firmware, initrd or shape",
      "give an EIF, or --kernel, --cmdline and --ramdisk",
    );
  const input = await readEnclaveInput(given, given.optionalArgument(1));
  const { image, architecture, source, signature } = await openEnclave(context, given, input);
  const measurement = measureNitro(image, { architecture });
  const { sections } = measurement;
  const names = sectionNames(sections);
  const files = [
    ...("image" in source ? [{ role: "eif", size: source.image.size }] : []),
    ...sections
      .map(({ size }, index) => ({ role: names[index] ?? "", size }))
      .filter(() => "parts" in source),
    ...(signature === undefined ? [] : [{ role: "signature", size: signature.length, bytes: signature }]),
  ];
  const map = mapMeasurement(measurement, files);
  const { platform, shape } = measurement;
  await context.answer(`${"image" in source ? formatPlaces(sections) : ""}${formatCoverage(map)}`, {
    schema: "bootproof/coverage/1",
    platform,
    shape,
    ...source,
    sections: formatManifest(sections),
    ...map,
  });
  return EXIT.yes;
}

/** Where in the file the sections are: the map names bytes. */
function formatPlaces(sections: readonly HashedSection[]): string {
  const names = sectionNames(sections);
  let end = EIF_HEADER_SIZE;
  const rows = sections.map(({ size }, index) => {
    const start = end + EIF_SECTION_HEADER_SIZE;
    end = start + size;
    return [names[index] ?? "", `0x${start.toString(16)}..0x${end.toString(16)}`];
  });
  return `${formatTable(rows, ["section", "bytes"])}\n`;
}
