/**
 * A thread that unpacks packages, one message each: decompression takes almost all of the time.
 * @module
 */
import { existsSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { ParseError, type ParseErrorCode } from "@bootproof/bytes";
import { hashFile } from "./tree-on-disk.ts";
import { unpackPackage, type UnpackedPackage } from "./unpack-package.ts";

/** Asks a worker to unpack the package file `path` below `directory`. */
export interface UnpackOrder {
  readonly path: string;
  /** What the package file must be: the store may have been damaged since it was fetched. */
  readonly sha256: string;
  readonly directory: string;
}

/** A worker's answer; an error crosses threads as data, because classes do not. */
export type UnpackAnswer =
  | { readonly differs: string }
  | { readonly gone: true }
  | { readonly unpacked: UnpackedPackage }
  | { readonly malformed: { readonly code: ParseErrorCode; readonly at: string; readonly message: string } }
  | { readonly failed: SystemFault };

/** What the operating system, or a bug, said: an error's own fields are lost between threads. */
export interface SystemFault {
  readonly message: string;
  readonly code?: string;
  readonly syscall?: string;
  readonly path: string;
}

async function answer({ path, sha256, directory }: UnpackOrder): Promise<UnpackAnswer> {
  try {
    if (!existsSync(path)) return { gone: true };
    const found = hashFile(path);
    if (found !== sha256) return { differs: found };
    return { unpacked: await unpackPackage(path, directory) };
  } catch (cause) {
    if (cause instanceof ParseError)
      return { malformed: { code: cause.code, at: cause.at, message: cause.message } };
    const { message, code, syscall, path: at } = cause as NodeJS.ErrnoException;
    return {
      failed: {
        message: cause instanceof Error ? message : String(cause),
        ...(code === undefined ? {} : { code }),
        ...(syscall === undefined ? {} : { syscall }),
        // Writing to an open file fails without its name, for instance on a full disk.
        path: at ?? directory,
      },
    };
  }
}

parentPort?.on("message", (order: UnpackOrder) => {
  void answer(order).then((result) => parentPort?.postMessage(result));
});
