/**
 * A program of its own: assembles one enclave image under the conditions that it was started with, from parts in a
 * store, into a folder that is its own. `assemble-twice.ts` starts it and compares.
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DirectoryBlobs, Refs } from "@bootproof/store";
import { BuildError } from "../build-error.ts";
import { assemble } from "./assemble.ts";
import type { AssemblyOrder } from "./assembly.ts";

/** What is to be assembled, from where, and into which folder. */
export interface AgainOrder {
  readonly order: AssemblyOrder;
  /** Root of the store that has the parts. */
  readonly parts: string;
  readonly folder: string;
}

/** What came out: the file, or why there is none. */
export type AgainAnswer =
  { readonly file: string } | { readonly code: string; readonly message: string; readonly file?: string };

async function assembleAgain({ order, parts, folder }: AgainOrder): Promise<AgainAnswer> {
  try {
    const store = {
      path: folder,
      blobs: await DirectoryBlobs.open(folder),
      refs: await Refs.open(folder),
    };
    const { blob } = await assemble(order, { store, parts: await DirectoryBlobs.open(parts), noCache: true });
    return { file: store.blobs.path(blob.sha256) };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const { code, message, file } = error;
    return { code, message, ...(file === undefined ? {} : { file }) };
  }
}

const [folder = "."] = process.argv.slice(2);
const text = readFileSync(join(folder, "order.json"), "utf8");
process.stdout.write(JSON.stringify(await assembleAgain(JSON.parse(text) as AgainOrder)));
