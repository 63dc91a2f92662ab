/**
 * Reading what the database answered, and the names and sizes that go into it.
 * @module
 */
import { quote, sha256, utf8 } from "@bootproof/bytes";
import { StoreError } from "./store-error.ts";

/** One row of an answer. */
export type Row = Readonly<Record<string, unknown>>;

const MAX_NAME = 255;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** A column of bytes, as a copy that is no Buffer. */
export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw foreign(column);
  return new Uint8Array(value);
}

/** A column of type bigint, which the driver gives as text. */
export function bigintOf(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value !== "string" || !/^-?[0-9]{1,19}$/.test(value)) throw foreign(column);
  return BigInt(value);
}

/** A column of type bigint that counts something. */
export function countOf(row: Row, column: string): number {
  const count = Number(bigintOf(row, column));
  if (!Number.isSafeInteger(count) || count < 0) throw foreign(column);
  return count;
}

/** A column of text. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw foreign(column);
  return value;
}

/** The only row there must be. */
export function onlyRow(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined || rows.length !== 1) throw foreign("row");
  return row;
}

/** Refuses a log's name that is empty, too long for an index, or not one line. */
export function checkLogName(log: string): void {
  if (log !== "" && log.length <= MAX_NAME && log.isWellFormed() && !CONTROL.test(log)) return;
  throw new StoreError("BP-STORE-008", `not a log's name: ${quote(log.slice(0, MAX_NAME))}`, {
    expected: `1 to ${MAX_NAME} characters in one line`,
  });
}

/** Refuses bytes above a limit. */
export function checkSize(what: string, length: number, limit: number): void {
  if (length <= limit) return;
  throw new StoreError("BP-STORE-006", `${what} is too large for the database`, {
    expected: `at most ${limit} bytes`,
    found: String(length),
  });
}

/** A number of 64 bits for what is to be told apart in this database: signed, as PostgreSQL counts. */
export function numberOf(purpose: string, log: string): bigint {
  const digest = sha256(utf8(`bootproof ${purpose}\n${log}`));
  return new DataView(digest.buffer, digest.byteOffset).getBigInt64(0);
}

function foreign(column: string): StoreError {
  return new StoreError(
    "BP-STORE-038",
    `the database answers something else than our tables hold: ${column}`,
  );
}
