/**
 * Whether the kernel of an EIF is one that Nitro starts, and whether it ends where its section does. PCRs hash kernel and
 * command line as one string: bytes can go from one to the other, and the PCRs stay.
 * Linux Documentation/arch/x86/boot.rst and arch/arm64/booting.rst.
 * @module
 */
import { ByteReader, ParseError } from "@bootproof/bytes";
import { type KernelHeader, parseKernel } from "../bzimage.ts";
import type { EifFinding } from "./finding.ts";
import type { EifArchitecture, EifSource, UntrustedEifSection } from "./layout.ts";

/** Most that is read of a kernel: its real-mode part, 256 sectors. */
const HEAD = 2 ** 17;
const ARM64_MAGIC_AT = 0x38;
/** "ARM\x64", little-endian. */
const ARM64_MAGIC = 0x644d_5241;

/** Kinds of files that are kernels elsewhere, by their first bytes. */
const OTHER_KINDS: readonly (readonly [string, number, readonly number[]])[] = [
  ["an ELF file, which Nitro does not start", 0, [0x7f, 0x45, 0x4c, 0x46]],
  ["compressed with gzip: unpack it first", 0, [0x1f, 0x8b]],
  ["an EFI zboot image: unpack it first", 4, [0x7a, 0x69, 0x6d, 0x67]],
];

/** What there is to know about the kernel's section. */
export async function judgeKernel(
  source: EifSource,
  section: UntrustedEifSection,
  index: number,
  architecture: EifArchitecture,
): Promise<EifFinding[]> {
  const head = await source.read(section.offset, Math.min(section.size, HEAD));
  const place = { section, index };
  const arm64 = parseArm64(head);
  if (arm64 !== undefined)
    return architecture === "aarch64" ? judgeArm64(arm64, place) : [otherArchitecture("aarch64", place)];
  try {
    const header = parseKernel(head);
    if (header === undefined) return [noKernel(head, place)];
    return architecture === "x86_64" ? judgeX86(header, head, place) : [otherArchitecture("x86_64", place)];
  } catch (error) {
    if (error instanceof ParseError)
      return [kind(`has a header that cannot be read: ${error.message}`, place)];
    throw error;
  }
}

interface Place {
  readonly section: UntrustedEifSection;
  readonly index: number;
}

function kind(message: string, { section, index }: Place, offset = 0): EifFinding {
  return {
    code: "BP-EIF-027",
    severity: "notice",
    message: `the kernel ${message}`,
    section: index,
    offset: section.offset + offset,
  };
}

function otherArchitecture(found: EifArchitecture, place: Place): EifFinding {
  return { ...kind(`is for ${found}, the file's header says otherwise`, place), found };
}

function noKernel(head: Uint8Array, place: Place): EifFinding {
  const other = OTHER_KINDS.find(([, at, magic]) => magic.every((byte, index) => head[at + index] === byte));
  const unknown =
    "is neither a bzImage nor an arm64 Image: nothing says where it ends and the command line starts";
  return kind(other === undefined ? unknown : `is ${other[0]}`, place);
}

interface Arm64Header {
  readonly textOffset: bigint;
  readonly imageSize: bigint;
}

function parseArm64(head: Uint8Array): Arm64Header | undefined {
  if (head.length < ARM64_MAGIC_AT + 4) return undefined;
  const reader = new ByteReader(head);
  reader.skip(8, "arm64 code");
  const textOffset = reader.u64le("arm64 text_offset");
  const imageSize = reader.u64le("arm64 image_size");
  reader.skip(ARM64_MAGIC_AT - 24, "arm64 flags");
  return reader.u32le("arm64 magic") === ARM64_MAGIC ? { textOffset, imageSize } : undefined;
}

function judgeArm64({ textOffset, imageSize }: Arm64Header, place: Place): EifFinding[] {
  const findings: EifFinding[] = [];
  if (textOffset === 0n)
    findings.push({
      ...kind("has a text_offset of 0: Nitro then loads it to address 0 and fails", place, 8),
      expected: "0x200000, written into the image after the build",
      found: "0x0",
    });
  // The size in memory, with what is zero there: the file may be shorter.
  if (imageSize !== 0n && BigInt(place.section.size) > imageSize)
    findings.push(slack(place, Number(imageSize), "belong to no kernel"));
  return findings;
}

function judgeX86(header: KernelHeader, head: Uint8Array, place: Place): EifFinding[] {
  const { declaredLength } = header;
  if (!header.loadedHigh) return [kind("is a zImage, which Nitro does not start", place, 0x211)];
  if (declaredLength === undefined) return [];
  const { section } = place;
  if (declaredLength > section.size)
    return [
      {
        ...slack(place, section.size, ""),
        message: `the kernel lacks ${declaredLength - section.size} of its bytes: the next section may begin with them, and the PCRs are the same`,
        expected: `${declaredLength} bytes`,
        found: `${section.size}`,
      },
    ];
  if (declaredLength === section.size) return [];
  const signed = isPeSignature(head, declaredLength, section.size);
  return [slack(place, declaredLength, signed ? "are its PE signature" : "belong to no kernel")];
}

function slack({ section, index }: Place, length: number, what: string): EifFinding {
  return {
    code: "BP-EIF-028",
    severity: "notice",
    message: `${section.size - length} bytes behind the kernel ${what}; with them at the head of the command line, the PCRs are the same`,
    section: index,
    offset: section.offset + length,
    expected: `a kernel of ${length} bytes`,
    found: `a section of ${section.size}`,
  };
}

/** Whether the PE header's certificate table is just what stands behind the kernel (Secure Boot's signature). */
function isPeSignature(head: Uint8Array, from: number, to: number): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const u32 = (at: number): number => (at + 4 <= head.length ? view.getUint32(at, true) : 0);
  const pe = u32(0x3c);
  if (u32(pe) !== 0x4550) return false;
  // The fifth data directory, behind 96 bytes of optional header, or 112 of PE32+.
  const directories = pe + 24 + ((u32(pe + 24) & 0xffff) === 0x20b ? 112 : 96);
  return u32(directories + 32) === from && u32(directories + 36) === to - from;
}
