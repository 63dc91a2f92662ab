/**
 * Policies as tables of bits: what SNP and SEV policies have in common.
 * @module
 */
import type { MeasureWarning } from "./measurement.ts";
import { MeasureError } from "./measure-error.ts";

/** One named bit of a policy. */
export interface PolicyBit {
  readonly bit: number;
  /** The specification's name in lower case, words joined by hyphens. */
  readonly name: string;
  /** What the bit says when it is set. */
  readonly set: string;
  /** What it says when it is clear. */
  readonly clear: string;
}

/** One field of a decoded policy. */
export interface PolicyField {
  /** `16`, or `15:8`. */
  readonly bits: string;
  readonly name: string;
  readonly value: number;
  readonly meaning: string;
}

/** A policy field by field, and what a person should know about it. */
export interface DecodedPolicy {
  readonly platform: "snp" | "sev";
  readonly value: bigint;
  readonly fields: readonly PolicyField[];
  /** The bits that no field has. */
  readonly reserved: bigint;
  readonly warnings: readonly MeasureWarning[];
}

/** Whether a bit is set. */
export const hasBit = (value: bigint, bit: number): boolean => ((value >> BigInt(bit)) & 1n) === 1n;

/** Every bit of a table, set. */
export const maskOf = (table: readonly PolicyBit[]): bigint =>
  table.reduce((mask, { bit }) => mask | (1n << BigInt(bit)), 0n);

/** The fields of single bits, as they stand in the table. */
export function decodeBits(value: bigint, table: readonly PolicyBit[]): PolicyField[] {
  return table.map(({ bit, name, set, clear }) => {
    const on = hasBit(value, bit);
    return { bits: `${bit}`, name, value: on ? 1 : 0, meaning: on ? set : clear };
  });
}

/** The bits of a policy by their names; throws {@link MeasureError} for a name that is none, or given twice. */
export function bitsOf(names: readonly string[], table: readonly PolicyBit[]): bigint {
  let value = 0n;
  for (const given of names) {
    const found = table.find(({ name }) => name === given.toLowerCase().replaceAll("_", "-"));
    if (found === undefined)
      throw new MeasureError("BP-ID-001", "no policy bit has this name", {
        expected: table.map(({ name }) => name).join(", "),
        found: given,
      });
    if (hasBit(value, found.bit))
      throw new MeasureError("BP-ID-001", "a policy bit is named twice", { found: given });
    value |= 1n << BigInt(found.bit);
  }
  return value;
}

/** A policy in hex, as people write it. */
export const formatPolicy = (value: bigint): string => `0x${value.toString(16)}`;

/** Demands a policy of at most `bits` bits, or throws {@link MeasureError}. */
export function checkWidth(value: bigint, bits: number): void {
  if (value < 0n || value >> BigInt(bits) !== 0n)
    throw new MeasureError("BP-ID-001", `a policy of this kind has ${bits} bits`, {
      found: value < 0n ? `${value}` : formatPolicy(value),
    });
}

/** A firmware version that a policy demands. */
export interface MinimumVersion {
  readonly major: number;
  readonly minor: number;
}

/** Demands that both parts of a version fit a byte, or throws {@link MeasureError}. */
export function checkVersion({ major, minor }: MinimumVersion): void {
  if (![major, minor].every((part) => Number.isInteger(part) && part >= 0 && part <= 255))
    throw new MeasureError("BP-ID-001", "a firmware version has two parts from 0 to 255", {
      found: `${major}.${minor}`,
    });
}

/** The numbers of the bits that are set, as a list for people. */
export function bitList(value: bigint): string {
  const bits: number[] = [];
  for (let bit = 0; value >> BigInt(bit) > 0n; bit++) if (hasBit(value, bit)) bits.push(bit);
  return bits.join(", ");
}
