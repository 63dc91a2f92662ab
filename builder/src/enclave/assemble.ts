/**
 * Assembles an enclave image from parts that are in the store: makes its ramdisks, then the file. Each result is
 * remembered under what decides it, so only what changed is made again.
 * @module
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { utf8 } from "@bootproof/bytes";
import type { Blob } from "@bootproof/store";
import { BuildError, damagedInStore, goneFromStore } from "../build-error.ts";
import { writeEifFile, type EifPart } from "../eif-file.ts";
import { hashFile } from "../hash-stream.ts";
import type { BuildStore } from "../toolchain-root.ts";
import { makeWorkFolder, removeStaleFolders } from "../work-folder.ts";
import { assemblyKey, ramdiskKey, type AssemblyOrder, type RamdiskOrder } from "./assembly.ts";
import { imageNotices } from "./image-notices.ts";
import { pcr0Of, readSignature } from "./sign-image.ts";
import { makeRamdisk } from "./make-ramdisk.ts";
import { recallMade, rememberMade, type MadeBlob } from "./remembered.ts";

/** An enclave image that was assembled or recalled. */
export interface Assembled extends MadeBlob {
  readonly cached: boolean;
}

/** How an image is assembled. */
export interface AssembleOptions {
  /** Where results go and are remembered. */
  readonly store: BuildStore;
  /** Where the parts are, when that is elsewhere. */
  readonly parts?: BuildStore["blobs"];
  /** Make everything again. */
  readonly noCache?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Wraps each piece of work, for showing progress. */
  readonly during?: <T>(step: string, work: (progress: (detail: string) => void) => Promise<T>) => Promise<T>;
}

/** Folder of the store for files that are being assembled. */
export const ASSEMBLY_FOLDER = "assembly";

/** Assembles `order`; throws BuildError BP-IMAGE, BP-EIF or BP-INPUT for parts that cannot be an image's. */
export async function assemble(order: AssemblyOrder, options: AssembleOptions): Promise<Assembled> {
  const { store, noCache } = options;
  const key = assemblyKey(order);
  const known = noCache === true ? undefined : await recallMade(store, key);
  if (known !== undefined) return { ...known, cached: true };
  const parent = join(store.path, ASSEMBLY_FOLDER);
  await removeStaleFolders(parent);
  const work = await makeWorkFolder(parent);
  try {
    const ramdisks: MadeBlob[] = [];
    for (const [index, ramdisk] of order.ramdisks.entries())
      ramdisks.push(await openRamdisk(ramdisk, `ramdisk ${index + 1}: ${ramdisk.label}`, work, options));
    const image = await makeImage(order, ramdisks, work, options);
    const made = {
      blob: image.blob,
      findings: [...ramdisks.flatMap(({ findings }) => findings), ...image.findings],
    };
    await rememberMade(store.refs, key, made);
    return { ...made, cached: false };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function openRamdisk(
  order: RamdiskOrder,
  step: string,
  work: string,
  { store, parts = store.blobs, noCache, signal, during = plainly }: AssembleOptions,
): Promise<MadeBlob> {
  if (order.kind === "file") {
    if (order.pinned) await checkPart(parts, order.label, order.blob, signal);
    return { blob: order.blob, findings: [] };
  }
  const key = ramdiskKey(order);
  const known = noCache === true ? undefined : await recallMade(store, key);
  if (known !== undefined) return known;
  const { blob, findings } = await during(step, async (progress) => {
    await checkPart(parts, order.label, order.blob, signal);
    return makeRamdisk(order, {
      part: parts.path(order.blob.sha256),
      blobs: store.blobs,
      workFolder: work,
      signal,
      onProgress: (done, total) => progress(mebibytes(done, total)),
    }).catch((error: unknown) => {
      throw error instanceof BuildError ? named(error, order.label) : error;
    });
  });
  const place = parts.path(order.blob.sha256);
  const made = {
    blob,
    findings: findings.map(({ code, message }) => ({
      code,
      message: `${order.label}: ${message.replace(`${place}: `, "")}`,
    })),
  };
  await rememberMade(store.refs, key, made);
  return made;
}

async function makeImage(
  order: AssemblyOrder,
  ramdisks: readonly MadeBlob[],
  work: string,
  { store, parts = store.blobs, signal, during = plainly }: AssembleOptions,
): Promise<MadeBlob> {
  const { architecture, kernel, signature } = order;
  const file = join(work, "image.eif");
  return during("assemble", async (progress) => {
    if (kernel.pinned) await checkPart(parts, "the kernel", kernel.blob, signal);
    const sections: EifPart[] = [
      { type: "kernel", path: parts.path(kernel.blob.sha256) },
      { type: "cmdline", bytes: utf8(order.cmdline) },
      { type: "metadata", bytes: utf8(order.metadata) },
      ...ramdisks.map(({ blob }, index): EifPart => {
        const place = order.ramdisks[index]?.kind === "file" ? parts : store.blobs;
        return { type: "ramdisk", path: place.path(blob.sha256) };
      }),
    ];
    const sign = signature === null ? undefined : await readSignature(parts, signature);
    await writeEifFile({ architecture, sections }, file, {
      signal,
      ...(sign === undefined ? {} : { sign: async () => sign(await pcr0Of(sections, signal)) }),
      onProgress: (done, total) => progress(mebibytes(done, total)),
    });
    const findings = await imageNotices(file);
    return { blob: await store.blobs.putFile(file), findings };
  });
}

/** The same refusal, of the part as the recipe calls it: its path in the store says nothing to anybody. */
function named(error: BuildError, label: string): BuildError {
  const { code, message, expected, found, hint, offset, issues } = error;
  return new BuildError(code, `${label}: ${message}`, {
    ...(offset === undefined ? {} : { offset }),
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    ...(hint === undefined ? {} : { hint }),
    issues,
    cause: error,
  });
}

/** A part's bytes in the store may have rotted since they were brought: nothing else looks at all of them. */
async function checkPart(
  parts: BuildStore["blobs"],
  label: string,
  { sha256 }: Blob,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = parts.path(sha256);
  if (!(await parts.touch(sha256))) throw goneFromStore(label, file);
  const found = await hashFile(file, signal);
  if (found.sha256 !== sha256) throw damagedInStore(label, file, { expected: sha256, found: found.sha256 });
}

const plainly: NonNullable<AssembleOptions["during"]> = (_step, work) => work(() => undefined);

const mebibytes = (done: number, total: number): string =>
  `${Math.floor(done / 2 ** 20)} of ${Math.ceil(total / 2 ** 20)} MiB`;
