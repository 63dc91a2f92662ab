/**
 * One of the two launches that an explanation compares: as much as is known of it.
 * @module
 */
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import type { MeasuredEvent } from "../event.ts";
import type { Measurement } from "../measurement.ts";
import type { Registers } from "../replay.ts";
import type { LaunchDocument } from "../trace-document.ts";
import type { ChangeGroup } from "./change-groups.ts";
import type { Finding } from "./explanation.ts";
import type { JsonRecord } from "./json-fields.ts";

/** An input of which no bytes are at hand. */
export interface KnownInput {
  readonly role: string;
  readonly size?: number;
  readonly sha256: string;
}

/** A section of an image of which its size and digest are known. */
export interface KnownSection {
  readonly type: string;
  readonly size: number;
  readonly sha384: string;
}

/** A launch, as far as it is known: from files, a measurement, or a trace. */
export interface Side {
  readonly platform: string;
  /** The platform's shape as JSON; empty when nobody says. */
  readonly shape: JsonRecord;
  /** Lower-case hex by register name; empty when the shape is open. */
  readonly registers: Readonly<Record<string, string>>;
  /** The files it was made from, when only their hashes are known. */
  readonly inputs: readonly KnownInput[];
  /** Inputs that a measurement calls covered; undefined when nobody says. */
  readonly covered?: readonly string[];
  readonly events?: readonly MeasuredEvent[];
  /** Register values before the first event, in hex; the platform's own when absent. */
  readonly start?: Readonly<Record<string, string>>;
  /** The sections of an image in file order, of a platform whose images have some. */
  readonly sections?: readonly KnownSection[];
  /** The bytes of inputs by role, where they are at hand. */
  readonly artifacts: Artifacts;
  /** Why it cannot launch: such a side has neither registers nor events, and its inputs still tell what differs. */
  readonly problem?: string;
}

/** What a platform contributes: words for what differs in its launches. */
export interface Describer {
  /**
   * Findings, the first one first; those without a register are seen by none. `groups` are the events that differ,
   * or undefined when one side has no events and the rest must tell.
   */
  describe(a: Side, b: Side, groups: readonly ChangeGroup[] | undefined): readonly Finding[];
}

/** The bytes of inputs by role. */
export type Artifacts = Readonly<Record<string, Uint8Array>>;

/** A side that was measured here, from these files. */
export function sideOfMeasurement(measurement: Measurement<object>, artifacts: Artifacts): Side {
  const { platform, shape, registers, start, events, coverage } = measurement;
  const covered = coverage.covered.map(({ input }) => input);
  return {
    platform,
    shape: { ...shape },
    registers,
    inputs: [],
    covered,
    start: formatStart(start),
    events,
    artifacts,
  };
}

/** A side that a document tells of; `artifacts` are those of its inputs that are at hand. */
export function sideOfDocument(document: LaunchDocument, atHand: Artifacts = {}): Side {
  const artifacts = { ...typedInputs(document), ...atHand };
  const { platform, shape, registers, inputs, covered, start, events, sections } = document;
  return {
    platform,
    shape,
    registers,
    inputs,
    ...(covered && { covered }),
    ...(start && { start }),
    ...(events && { events }),
    ...(sections && { sections }),
    artifacts,
  };
}

const formatStart = (start: Registers): Record<string, string> =>
  Object.fromEntries(Object.entries(start).map(([name, value]) => [name, formatHex(value)]));

/** Inputs whose bytes the document itself holds, when they have the hash that it says. */
function typedInputs({ inputs }: LaunchDocument): Artifacts {
  return Object.fromEntries(
    inputs.flatMap(({ role, text, sha256: expected }) => {
      const bytes = text === undefined ? undefined : utf8(text);
      return bytes !== undefined && formatHex(sha256(bytes)) === expected ? [[role, bytes]] : [];
    }),
  );
}
