/**
 * Admission by two files of a log's private folder: the list of publishers, read again whenever it has changed, and
 * what was used of the quotas, noted each second and at the end. After being killed, a process counts at most one
 * second's statements too few; several front ends of one log count each for itself.
 * @module
 */
import { readFile, stat } from "node:fs/promises";

import { writeFileAtomic } from "@bootproof/store";

import { AdmissionError } from "./admission-error.ts";
import { makeAdmission, type Admission, type Admitted, type IsThere, type Refusal } from "./admission.ts";
import type { AboutLog } from "./named.ts";
import { MAX_PUBLISHERS_SIZE, parsePublishers, type LogPublisher } from "./publishers.ts";
import { formatQuotaState, parseQuotaState, QuotaLedger } from "./quota.ts";

const SAVE_MS = 1_000;
const RELOAD_MS = 1_000;

/** What admission by files goes by. */
export interface AdmissionFiles {
  /** The list of publishers. */
  readonly publishers: string;
  /** Where quotas are noted; made on first use. */
  readonly quotas: string;
  readonly log: AboutLog;
  /** POSIX seconds. */
  readonly now: () => number;
  /** Hears what an operator should know. */
  readonly report: (line: string) => void;
}

/** Admission that keeps its files; close it. */
export class FiledAdmission implements Admission {
  readonly quotas: QuotaLedger;
  readonly #files: AdmissionFiles;
  readonly #timer: NodeJS.Timeout;
  #stamp: string;
  #looked = performance.now();
  #list: readonly LogPublisher[];
  #saved = 0;
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    files: AdmissionFiles,
    quotas: QuotaLedger,
    { stamp, list }: { readonly stamp: string; readonly list: readonly LogPublisher[] },
  ) {
    this.#files = files;
    this.quotas = quotas;
    this.#stamp = stamp;
    this.#list = list;
    this.#timer = setInterval(() => void this.#save(), SAVE_MS);
    this.#timer.unref();
  }

  /** Opens both files; throws AdmissionError when the list of publishers cannot be used. */
  static async open(files: AdmissionFiles): Promise<FiledAdmission> {
    const stamp = await stampOf(files.publishers);
    const list = await readPublishers(files.publishers);
    const noted = await readFile(files.quotas).catch(() => undefined);
    const state = noted === undefined ? undefined : parseQuotaState(new Uint8Array(noted));
    if (noted !== undefined && state === undefined)
      files.report(`${files.quotas} cannot be read; today's quotas begin anew`);
    return new FiledAdmission(files, new QuotaLedger(files.now, state), { stamp, list });
  }

  /** The list as it was read last. */
  get publishers(): readonly LogPublisher[] {
    return this.#list;
  }

  /** Decides by the list as it is now. */
  async admit(body: Uint8Array, isThere?: IsThere): Promise<Admitted | Refusal> {
    await this.#reload();
    return makeAdmission(this.#list, this.#files.log, this.quotas).admit(body, isThere);
  }

  /** Notes what was used and stops. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#save();
  }

  /** A list that was changed to one that cannot be read leaves the one before in force. */
  async #reload(): Promise<void> {
    if (performance.now() - this.#looked < RELOAD_MS) return;
    this.#looked = performance.now();
    try {
      const stamp = await stampOf(this.#files.publishers);
      if (stamp === this.#stamp) return;
      this.#stamp = stamp;
      this.#list = await readPublishers(this.#files.publishers);
      this.#files.report(`${this.#files.publishers} was read again`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#files.report(`the publishers stay as they were: ${why}`);
    }
  }

  async #save(): Promise<void> {
    await this.#saving;
    const { changes } = this.quotas;
    if (changes === this.#saved) return;
    this.#saving = this.#write(changes);
    await this.#saving;
  }

  async #write(changes: number): Promise<void> {
    try {
      await writeFileAtomic(
        this.#files.quotas,
        new TextEncoder().encode(formatQuotaState(this.quotas.state)),
        0o600,
      );
      this.#saved = changes;
    } catch (error) {
      this.#files.report(
        `the quotas could not be noted: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}

async function stampOf(file: string): Promise<string> {
  const { mtimeNs, size } = await stat(file, { bigint: true }).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  return `${mtimeNs} ${size}`;
}

async function readPublishers(file: string): Promise<readonly LogPublisher[]> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  if (bytes.length > MAX_PUBLISHERS_SIZE)
    throw new AdmissionError(file, [`${file}:1:1: more than ${MAX_PUBLISHERS_SIZE} bytes`]);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new AdmissionError(file, [`${file}:1:1: the text is not UTF-8`]);
  }
  return parsePublishers(text, file);
}

function unreadable(file: string, error: unknown): AdmissionError {
  const why = error instanceof Error ? error.message : String(error);
  return new AdmissionError(file, [`${file}: cannot be read: ${why}`]);
}
