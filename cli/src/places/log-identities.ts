/**
 * Which statements a log has already, on a file of its private folder that is opened when the log is: looking at a place
 * makes no file. Its name goes with what identifies an entry, so that another identity would get a file of its own.
 * @module
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { IdentityIndex } from "@bootproof/log";
import { IdentityFile } from "@bootproof/store/identities";

const FILE = "identities-1.sqlite";

/** Identities of the log whose private state is in a folder. */
export class LogIdentities implements IdentityIndex {
  readonly #folder: string;
  #file: IdentityFile | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get entries(): bigint {
    return this.#open().entries;
  }

  find(identity: Uint8Array): bigint | undefined {
    return this.#open().find(identity);
  }

  findAll(identities: readonly Uint8Array[]): readonly (bigint | undefined)[] {
    return this.#open().findAll(identities);
  }

  append(identities: readonly Uint8Array[]): void {
    this.#open().append(identities);
  }

  clear(): void {
    this.#open().clear();
  }

  /** Makes everything durable; whoever asks again opens the file again. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #open(): IdentityFile {
    if (this.#file === undefined) {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#file = IdentityFile.open(join(this.#folder, FILE));
    }
    return this.#file;
  }
}
