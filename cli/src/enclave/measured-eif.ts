/**
 * An EIF file with one reading, hashed: what `measure`, `release` and `verify` need of it.
 * @module
 */
import { type EifFinding, type EifLayout, type EifReading, readEif } from "@bootproof/boot/eif";
import type { NitroImage } from "@bootproof/measure/nitro";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { shellWord } from "../frame/typed.ts";
import { EifFile, type EifFileDigests, hashEifFile, type HashOptions } from "./hash-eif.ts";

/** A file that all readers read in one way. */
export interface MeasuredEif {
  readonly reading: EifReading;
  readonly layout: EifLayout;
  readonly digests: EifFileDigests;
  /** The digests with the certificate, for `measureNitro`. */
  readonly image: NitroImage;
}

/** Reads and hashes an EIF; throws a {@link Failure} for one that has no one reading, or whose CRC is wrong. */
export async function measureEifFile(path: string, options: HashOptions = {}): Promise<MeasuredEif> {
  const file = await EifFile.open(path, { hash: true });
  try {
    const reading = await readEif(file);
    const { layout, parsedSignature } = reading;
    if (layout === undefined) throw ambiguous(path, reading.findings);
    const digests = await hashEifFile(file, layout, options);
    if (digests.crc32 !== layout.crc32) throw wrongCrc(path, layout.crc32, digests.crc32);
    return {
      reading,
      layout,
      digests,
      image: { ...digests, certificateDer: parsedSignature?.certificateDer },
    };
  } finally {
    await file.close();
  }
}

/** The failure for the first finding that leaves a choice; the others are listed. */
function ambiguous(path: string, findings: readonly EifFinding[]): Failure {
  const faults = findings.filter(({ severity }) => severity !== "notice");
  const [first] = faults;
  if (first === undefined) throw new RangeError("a file without a layout, and nothing is wrong with it");
  const { code, message, offset, expected, found } = first;
  return new Failure(code, EXIT.malformed, message, {
    file: path,
    offset,
    expected,
    found,
    hint: hintOf(path),
    issues: faults.length > 1 ? faults.map((fault) => `${fault.code} ${fault.message}`) : [],
  });
}

function wrongCrc(path: string, header: number, computed: number): Failure {
  const format = (value: number): string => value.toString(16).padStart(8, "0");
  return new Failure("BP-NITRO-005", EXIT.malformed, "the CRC-32 in the header is not of these bytes", {
    file: path,
    expected: format(header),
    found: format(computed),
    hint: hintOf(path),
  });
}

const hintOf = (path: string): string => `bootproof inspect ${shellWord(path)} shows everything in it`;
