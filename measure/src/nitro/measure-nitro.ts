/**
 * What a Nitro Enclave will report: PCR0, PCR1, PCR2 of its image, PCR8 of the certificate that signed it, and PCR3 and
 * PCR4 of the machine that starts it, as far as that is known.
 * @module
 */
import type { EifArchitecture } from "@bootproof/boot/eif";
import { formatHex, sha384, utf8 } from "@bootproof/bytes";
import { makeMeasurement, type Measurement, type MeasureWarning } from "../measurement.ts";
import { replay } from "../replay.ts";
import { nitroCoverage } from "./coverage.ts";
import type { EifDigests } from "./eif-hasher.ts";
import { knownBootstrap } from "./known-bootstrap.ts";
import { checkInstanceId, checkRoleArn } from "./parent.ts";
import { extendPcr, NITRO_START, type PcrEvent, type PcrName } from "./pcr.ts";
import { type HashedSection, isMeasured, sectionNames } from "./section.ts";

/** An image that was hashed, with the certificate of its signature. */
export interface NitroImage extends EifDigests {
  /** DER of the first certificate in the signature's PEM; absent: unsigned. */
  readonly certificateDer?: Uint8Array | undefined;
}

/** Everything else that decides what an enclave reports. */
export interface NitroShape {
  /** No register tells the two apart. */
  readonly architecture?: EifArchitecture | undefined;
  /** IAM role of the parent instance; absent: not known. */
  readonly roleArn?: string | undefined;
  /** Parent instance; absent: not known. */
  readonly instanceId?: string | undefined;
  /** Started with --debug-mode: PCR0, PCR1, PCR2 and PCR8 are zero. */
  readonly debug?: boolean | undefined;
}

/** {@link NitroShape} as JSON. */
export interface NitroShapeJson {
  readonly architecture?: EifArchitecture;
  readonly roleArn?: string;
  readonly instanceId?: string;
  readonly debug?: boolean;
}

/** A measurement with the section manifest beside it: the PCRs alone do not say where one section ends. */
export interface NitroMeasurement extends Measurement<NitroShapeJson, PcrEvent> {
  readonly sections: readonly HashedSection[];
}

/**
 * Predicts PCRs. PCR8 of an unsigned image is zero; PCR3 and PCR4 are there only when role and instance are given.
 * Throws {@link MeasureError} for a role or an instance that cannot be one.
 */
export function measureNitro(image: NitroImage, shape: NitroShape = {}): NitroMeasurement {
  const events = eventsOf(image, shape);
  const known = new Set<string>(["PCR0", "PCR1", "PCR2", "PCR8", ...events.map(({ register }) => register)]);
  const replayed = replay(NITRO_START, extendEvent, events);
  const registers = Object.entries(replayed);
  const measurement = makeMeasurement({
    platform: "nitro",
    shape: formatNitroShape(shape),
    registers: Object.fromEntries(registers.filter(([name]) => known.has(name))),
    start: NITRO_START,
    extend: extendEvent,
    events: () => events,
    coverage: nitroCoverage(image.sections, image.certificateDer !== undefined),
    warnings: [...warningsOf(shape), ...bootstrapWarnings(replayed["PCR1"])],
  });
  return withSections(measurement, image.sections);
}

/** The extend of the replay core. */
const extendEvent = (current: Uint8Array, { digest }: Pick<PcrEvent, "digest">): Uint8Array =>
  extendPcr(current, digest);

// Not a spread: `events` is a getter that makes them when someone looks.
const withSections = (
  measurement: Measurement<NitroShapeJson, PcrEvent>,
  sections: readonly HashedSection[],
): NitroMeasurement => Object.assign(measurement, { sections });

function formatNitroShape({ architecture, roleArn, instanceId, debug }: NitroShape): NitroShapeJson {
  return {
    ...(architecture !== undefined && { architecture }),
    ...(roleArn !== undefined && { roleArn }),
    ...(instanceId !== undefined && { instanceId }),
    ...(debug === true && { debug }),
  };
}

function eventsOf(image: NitroImage, shape: NitroShape): PcrEvent[] {
  return [...(shape.debug === true ? [] : imageEvents(image)), ...parentEvents(shape)];
}

function imageEvents({ sections, inner0, inner1, inner2, certificateDer }: NitroImage): PcrEvent[] {
  const names = sectionNames(sections).filter((_, index) => isMeasured(sections[index] ?? none()));
  const later = names.filter((name) => /^ramdisk [1-9]/.test(name));
  const boot = names.filter((name) => !later.includes(name));
  return [
    imageEvent("PCR0", "IMAGE", inner0, names),
    imageEvent("PCR1", "BOOTSTRAP", inner1, boot),
    imageEvent("PCR2", "APPLICATION", inner2, later),
    ...(certificateDer === undefined ? [] : [certificateEvent(certificateDer)]),
  ];
}

function imageEvent(
  register: PcrName,
  type: PcrEvent["type"],
  digest: Uint8Array,
  names: readonly string[],
): PcrEvent {
  const label = names.length === 0 ? "no ramdisk after the first" : names.join(", ");
  // One name for all images: what differs is the contents, also where another number of sections goes in.
  return { register, digest, type, label, source: { artifact: "eif", section: type.toLowerCase() } };
}

const certificateEvent = (der: Uint8Array): PcrEvent => ({
  register: "PCR8",
  digest: sha384(der),
  type: "CERTIFICATE",
  label: "signing certificate",
  source: { artifact: "certificate", offset: 0, length: der.length },
});

function parentEvents({ roleArn, instanceId }: NitroShape): PcrEvent[] {
  return [
    ...(roleArn === undefined ? [] : [textEvent("PCR3", "ROLE_ARN", "IAM role of the parent", roleArn)]),
    ...(instanceId === undefined
      ? []
      : [textEvent("PCR4", "INSTANCE_ID", "ID of the parent instance", instanceId)]),
  ];
}

/** The text is extended as it is: nobody hashes it first. */
const textEvent = (register: PcrName, type: PcrEvent["type"], label: string, text: string): PcrEvent => ({
  register,
  digest: utf8(text),
  type,
  label,
  source: { artifact: "parent" },
});

function warningsOf({ roleArn, instanceId, debug }: NitroShape): MeasureWarning[] {
  return [
    ...(roleArn === undefined ? [] : checkRoleArn(roleArn)),
    ...(instanceId === undefined ? [] : checkInstanceId(instanceId)),
    ...(debug === true
      ? [
          {
            code: "BP-NITRO-101",
            message:
              "in debug mode PCR0, PCR1, PCR2 and PCR8 are zero: such a document says nothing of the image",
          },
        ]
      : []),
  ];
}

/** Stock bootstraps are years old, and PCR1 gives them away. */
function bootstrapWarnings(pcr1: Uint8Array | undefined): MeasureWarning[] {
  const known = pcr1 && knownBootstrap(formatHex(pcr1));
  if (known === undefined) return [];
  const releases = known.releases === undefined ? "" : ` (nitro-cli ${known.releases})`;
  const message = `PCR1 is of a known ${known.architecture} ${known.note}${releases}`;
  return [{ code: "BP-NITRO-104", message, artifact: "eif" }];
}

function none(): never {
  throw new RangeError("a section without a place");
}
