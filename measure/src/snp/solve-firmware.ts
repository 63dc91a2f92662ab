/**
 * Ways in which a VMM may have been given the firmware: whole, or as code without its variable store.
 * @module
 */
import { concatBytes } from "@bootproof/bytes";
import { findVolumes } from "@bootproof/ovmf";
import type { Axis, Candidate } from "../solve/axis.ts";

/** What is measured in place of the given firmware. */
export interface ImageGuess {
  readonly name: "as given" | "code only" | "with variable store";
  readonly image: Uint8Array;
}

const VARIABLE_STORE = "fff12b8d-7696-4c8b-a985-2747075b4f50";

/** An image as given, and as its own layout says that it may be split, or joined with the store beside it. */
export function imageAxis(image: Uint8Array, variables?: Uint8Array): Axis<ImageGuess> {
  const first: Candidate<ImageGuess> = {
    value: { name: "as given", image },
    label: "the firmware as given",
    surprise: 0,
  };
  const length = variableStoreLength(image);
  const other = length === undefined ? joined(image, variables) : codeOnly(image, length);
  return { name: "firmware", standing: "given", candidates: other === undefined ? [first] : [first, other] };
}

/** The length of the variable store at the start of an image; undefined when it has none there. */
export function variableStoreLength(image: Uint8Array): number | undefined {
  const [first] = findVolumes(image);
  const isStore = first?.offset === 0 && first.fileSystem.toLowerCase() === VARIABLE_STORE;
  return isStore && first.length < image.length ? first.length : undefined;
}

function codeOnly(image: Uint8Array, length: number): Candidate<ImageGuess> {
  return {
    value: { name: "code only", image: image.subarray(length) },
    label: `firmware without its variable store (the first ${length} bytes)`,
    surprise: 1,
    cause:
      "the guest has a CODE image in its first flash unit and the variable store in another, which is not measured",
  };
}

function joined(image: Uint8Array, variables: Uint8Array | undefined): Candidate<ImageGuess> | undefined {
  if (variables === undefined) return undefined;
  return {
    value: { name: "with variable store", image: concatBytes(variables, image) },
    label: "firmware joined with its variable store",
    surprise: 1,
    cause: "the guest has one image that holds both",
  };
}
