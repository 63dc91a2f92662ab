/**
 * The image to measure, as it was named: one file, or its parts.
 * @module
 */
import { parseUtf8, utf8 } from "@bootproof/bytes";
import { parsePemCertificates } from "@bootproof/bytes/certificate";

import { reading } from "../errors/reading.ts";
import { readInput } from "../frame/files.ts";
import { badValue, type Given, usage } from "../frame/given.ts";
import type { LoosePart } from "./hash-eif.ts";

/** What to measure. */
export type EnclaveInput =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "parts"; readonly parts: readonly LoosePart[]; readonly named: readonly NamedPart[] };

/** A part as answers name it. */
export interface NamedPart {
  readonly role: LoosePart["type"];
  readonly path?: string;
  /** A command line that was typed. */
  readonly text?: string;
}

const PARTS = ["kernel", "cmdline", "cmdlineFile"] as const;
const MAX_CMDLINE = 2 ** 16;
const MAX_CERTIFICATE = 2 ** 16;

/** Reads which image is meant; throws a usage failure for none and for two. */
export async function readEnclaveInput(given: Given, file: string | undefined): Promise<EnclaveInput> {
  const loose = PARTS.some((name) => given.text(name) !== undefined) || given.list("ramdisk").length > 0;
  if (file !== undefined && loose)
    throw usage("an image file and parts of an image are both given", "one of them is the image");
  if (file !== undefined) return { kind: "file", path: file };
  const hint = "give an image file (EIF), or --kernel, --cmdline and --ramdisk";
  if (!loose) throw usage("there is no image", hint);
  return await readParts(given);
}

async function readParts(given: Given): Promise<EnclaveInput> {
  const [kernel, ramdisks] = [given.text("kernel"), given.list("ramdisk")];
  if (kernel === undefined) throw usage("there is no kernel", "give --kernel");
  if (ramdisks.length === 0) throw usage("there is no ramdisk", "give --ramdisk, once for each, in order");
  for (const path of [kernel, ...ramdisks])
    if (path === "") throw badValue("--kernel or --ramdisk", "the path of a file", "nothing");
  const cmdline = await readCmdline(given);
  if (cmdline === undefined)
    throw usage("there is no command line", "give --cmdline or --cmdline-file; --cmdline '' is an empty one");
  return {
    kind: "parts",
    parts: [
      { type: "kernel", path: kernel },
      { type: "cmdline", bytes: cmdline.bytes },
      ...ramdisks.map((path) => ({ type: "ramdisk" as const, path })),
    ],
    named: [
      { role: "kernel", path: kernel },
      { role: "cmdline", ...cmdline.named },
      ...ramdisks.map((path) => ({ role: "ramdisk" as const, path })),
    ],
  };
}

/** The command line from either option; undefined when neither is given. */
export async function readCmdline(
  given: Given,
): Promise<{ readonly bytes: Uint8Array; readonly named: { path: string } | { text: string } } | undefined> {
  const [text, path] = [given.text("cmdline"), given.text("cmdlineFile")];
  if (text !== undefined && path !== undefined)
    throw usage("--cmdline and --cmdline-file are both given", "give the command line once");
  if (path !== undefined) return { bytes: await readInput(path, MAX_CMDLINE), named: { path } };
  if (text === undefined) return undefined;
  // The system hands over bytes that are no UTF-8 as this character: the digest would be of other bytes than typed.
  if (text.includes("\ufffd") || !text.isWellFormed())
    throw usage(
      "--cmdline holds bytes that are not UTF-8, or the character U+FFFD, which stands for such bytes",
      "give the exact bytes: --cmdline-file",
    );
  return { bytes: utf8(text), named: { text } };
}

/** The certificate that signs: the text as it goes into a file, and the DER that PCR8 is of. */
export interface SigningCertificate {
  readonly path: string;
  readonly pem: Uint8Array;
  /** Of the first one in the file. */
  readonly der: Uint8Array;
  readonly count: number;
}

/** Reads a PEM file with a certificate. */
export async function readCertificateFile(path: string): Promise<SigningCertificate> {
  const pem = await readInput(path, MAX_CERTIFICATE);
  return reading(path, () => {
    const [first, ...others] = parsePemCertificates(parseUtf8(pem, "certificate"), "certificate");
    if (first === undefined) throw new RangeError("a PEM file without a certificate was read as one");
    return { path, pem, der: first.der, count: 1 + others.length };
  });
}

/** The processor that was named. */
export function readArchitecture(given: Given): "x86_64" | "aarch64" | undefined {
  const name = given.text("arch");
  if (name === undefined || name === "x86_64" || name === "aarch64") return name;
  throw badValue("--arch", "x86_64 or aarch64", name);
}
