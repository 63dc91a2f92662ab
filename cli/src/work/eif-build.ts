/**
 * Writes an image from a kernel, a command line and ramdisks; the same inputs make the same bytes.
 * @module
 */
import { type EifArchitecture, readEif } from "@bootproof/boot/eif";
import type { EifFileInput } from "@bootproof/builder/eif-file";
import { formatHex, sha384 } from "@bootproof/bytes";
import { formatManifest, measureNitro, type NitroMeasurement, pcrOf } from "@bootproof/measure/nitro";
import { stat } from "node:fs/promises";

import { compareImages, type ImageComparison } from "../enclave/compare-images.ts";
import { OpenFile } from "../enclave/eif-file.ts";
import { readArchitecture, readCmdline } from "../enclave/enclave-input.ts";
import type { ImagePart } from "../enclave/image-part.ts";
import { pcr0Of } from "../enclave/pcr0.ts";
import { readMetadata } from "../enclave/read-metadata.ts";
import { type ImageSigner, readImageSigner } from "../enclave/sign-image.ts";
import { watchHashing } from "../enclave/watch-hashing.ts";
import { writeImage } from "../enclave/write-image.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { type Given, usage } from "../frame/given.ts";
import { formatFields, formatTable } from "../report/table.ts";

/** An image to be, all options read. */
interface Order {
  readonly architecture: EifArchitecture;
  readonly kernel: string;
  readonly cmdline: Uint8Array;
  readonly ramdisks: readonly string[];
  readonly part: ImagePart | undefined;
  readonly metadata: Uint8Array;
  readonly signer: ImageSigner | undefined;
  readonly out: string;
}

/** Answers `eif build`. */
export async function eifBuild(context: Context, given: Given): Promise<ExitCode> {
  const order = await readOrder(context, given);
  const { part, out, signer } = order;
  const write = (ramdisks: readonly string[]): Promise<NitroMeasurement> =>
    writeOrder(context, order, ramdisks);
  const measurement =
    part === undefined
      ? await write(order.ramdisks)
      : await (
          await import("../enclave/image-part.ts")
        ).withRamdisk(part, out, context.signal, async ({ path, findings }) => {
          for (const { code, message } of findings) context.note(`${message} (${code})`);
          return await write([...order.ramdisks, path]);
        });
  await noteFindings(context, out);
  const compare = given.text("compare");
  const comparison =
    compare === undefined
      ? undefined
      : await watchHashing(context, (options) => compareImages(compare, out, options));
  const { size } = await stat(out);
  const PCR8 = signer && formatHex(pcrOf(sha384(signer.certificate.der)));
  const registers = { ...measurement.registers, ...(PCR8 !== undefined && { PCR8 }) };
  context.say(formatBuilt(out, size, registers, comparison), {
    schema: "bootproof/eif-build/1",
    image: { path: out, size },
    shape: measurement.shape,
    registers,
    sections: formatManifest(measurement.sections),
    signed: signer !== undefined,
    ...(comparison && { comparison }),
  });
  return comparison?.verdict === "DIVERGED" ? EXIT.no : EXIT.yes;
}

/** Says what the reader says of the image: it has one reading, and may still not start, or mean less than it shows. */
async function noteFindings(context: Context, out: string): Promise<void> {
  const file = await OpenFile.open(out);
  try {
    for (const { code, message } of (await readEif(file)).findings)
      context.note(`warning: ${message} (${code})`);
  } finally {
    await file.close();
  }
}

async function readOrder(context: Context, given: Given): Promise<Order> {
  const { out } = context.options;
  if (out === undefined) throw usage("there is no place for the image", "give --out");
  const [kernel, cmdline] = [given.text("kernel"), await readCmdline(given)];
  if (kernel === undefined) throw usage("there is no kernel", "give --kernel");
  if (cmdline === undefined)
    throw usage("there is no command line", "give --cmdline or --cmdline-file; --cmdline '' is an empty one");
  const architecture = readArchitecture(given) ?? "x86_64";
  const part = readPart(given, architecture);
  const ramdisks = given.list("ramdisk");
  if (ramdisks.length === 0 && part === undefined)
    throw usage("there is no ramdisk", "give --ramdisk, once for each, in order; or --image or --folder");
  const metadata = await readMetadata(given);
  const signer = await readImageSigner(context, given);
  return { architecture, kernel, cmdline: cmdline.bytes, ramdisks, part, metadata, signer, out };
}

function readPart(given: Given, architecture: EifArchitecture): ImagePart | undefined {
  const [image, folder] = [given.text("image"), given.text("folder")];
  const [digest, cmd, env] = [given.text("digest"), given.list("cmd"), given.list("env")];
  if (image !== undefined && folder !== undefined)
    throw usage("--image and --folder are both given", "an image is made of one of them");
  if (digest !== undefined && image === undefined)
    throw usage("--digest is of an --image, and none is given");
  const path = image ?? folder;
  if (path === undefined) {
    if (cmd.length > 0 || env.length > 0) throw usage("--cmd and --env are of an --image or a --folder");
    return undefined;
  }
  const platform = architecture === "aarch64" ? "linux/arm64" : "linux/amd64";
  return { kind: image === undefined ? "folder" : "image", path, digest, platform, cmd, env };
}

async function writeOrder(
  context: Context,
  { architecture, kernel, cmdline, metadata, signer, out }: Order,
  ramdisks: readonly string[],
): Promise<NitroMeasurement> {
  const input: EifFileInput = {
    architecture,
    sections: [
      { type: "kernel", path: kernel },
      { type: "cmdline", bytes: cmdline },
      { type: "metadata", bytes: metadata },
      ...ramdisks.map((path) => ({ type: "ramdisk" as const, path })),
    ],
  };
  const sign = signer && { sign: (made: Parameters<typeof pcr0Of>[0]) => signer.sign(pcr0Of(made)) };
  const digests = await watchHashing(context, (options) => writeImage(input, out, { ...options, ...sign }));
  return measureNitro(digests, { architecture });
}

function formatBuilt(
  out: string,
  size: number,
  registers: Readonly<Record<string, string>>,
  comparison: ImageComparison | undefined,
): string {
  const pcrs = Object.entries(registers).map(([name, value]) =>
    /^0+$/.test(value) ? [name, value, "not signed"] : [name, value],
  );
  const compared = comparison === undefined ? "" : `\n${comparison.verdict}: ${comparison.reason}\n`;
  return `${formatFields([["image", `${out}, ${size} bytes`]])}${formatTable(pcrs)}${compared}`;
}
