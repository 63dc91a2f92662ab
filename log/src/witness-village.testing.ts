/**
 * Three real witnesses behind a network in memory, and what they may do to a log.
 * @module
 */
import { parseUtf8, utf8 } from "@bootproof/bytes";
import { expect } from "vitest";
import type { WitnessNetwork, WitnessResponse } from "./ask-witnesses.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { LogError, type LogErrorKind } from "./log-error.ts";
import { parseLogPolicy, type LogPolicy } from "./log-policy.ts";
import { Log } from "./log.ts";
import { logOn, MemoryDisk, MemoryProcess, TEST_SIGNER, type KillPoint } from "./memory-store.testing.ts";
import { checkSignatures, parseNote } from "./note.ts";
import type { Signer } from "@bootproof/bytes/signing";
import { cosignatureSigner, mlDsa44Signer } from "./signer.ts";
import { noteVerifiers } from "./verifier.ts";
import { WitnessPanel } from "./witness-panel.ts";
import { originHash, Witness } from "./witness.ts";

/** How a witness behaves on the network: as it is, or as it pretends. */
export type Behaviour = (
  body: Uint8Array,
  honest: () => Promise<WitnessResponse>,
) => Promise<WitnessResponse>;

export const honest: Behaviour = (_body, answer) => answer();
export const down: Behaviour = () => Promise.reject(new Error("connection refused"));
export const silent: Behaviour = () => new Promise(() => undefined);
export const says =
  (status: number, text: string, contentType = "text/plain"): Behaviour =>
  () =>
    Promise.resolve({ status, contentType, body: utf8(text) });

export const NAMES: readonly ["w1", "w2", "w3"] = ["w1", "w2", "w3"];
export const witnessSigners: readonly Signer[] = NAMES.map((name, at) =>
  at === 2
    ? mlDsa44Signer(`${name}.test`, new Uint8Array(32).fill(40 + at))
    : cosignatureSigner(`${name}.test`, new Uint8Array(32).fill(40 + at)),
);
const policyOf = (threshold: string): LogPolicy =>
  parseLogPolicy(
    [
      ...NAMES.map((name, at) => `witness ${name} ${witnessSigners[at]!.vkey} https://${name}.test/`),
      `group some ${threshold} w1 w2 w3`,
      "quorum some",
      "",
    ].join("\n"),
  );
/** Two of the three. */
export const policy: LogPolicy = policyOf("2");

/** Three real witnesses behind a network in memory. */
export class Village {
  readonly disks: readonly MemoryDisk[] = NAMES.map(() => new MemoryDisk());
  readonly behaviour: Behaviour[] = NAMES.map(() => honest);
  readonly #witnesses = this.disks.map(
    (disk, at) =>
      new Witness({
        signers: [witnessSigners[at]!],
        logKeys: (origin) => (origin === TEST_SIGNER.name ? [TEST_SIGNER.vkey] : undefined),
        memory: () => Promise.resolve(new MemoryProcess(disk).head),
        now: () => this.now,
      }),
  );
  readonly #policy: LogPolicy;
  readonly asked: string[] = [];
  now = 1_700_000_000n;
  /** Witnesses that cannot be asked what they have seen; that do not tell; and what to wait for before they do. */
  unreachable: Set<number> = new Set<number>();
  blind: Set<number> = new Set<number>();
  look: (at: number) => Promise<unknown> = () => Promise.resolve();

  constructor(threshold = "2") {
    this.#policy = policyOf(threshold);
  }

  readonly network: WitnessNetwork = {
    request: async (url, body) => {
      const at = NAMES.findIndex((name) => url.startsWith(`https://${name}.test/`));
      const path = url.slice(`https://${NAMES[at]!}.test/`.length);
      if (body === undefined) {
        if (this.unreachable.has(at)) throw new Error("connection refused");
        await this.look(at);
        if (this.blind.has(at)) return { status: 404, contentType: "", body: new Uint8Array() };
        const note = await this.#witnesses[at]!.latest(TEST_SIGNER.name);
        const found = path === `${originHash(TEST_SIGNER.name)}/checkpoint` ? note : undefined;
        return { status: found === undefined ? 404 : 200, contentType: "", body: found ?? new Uint8Array() };
      }
      expect(path).toBe("add-checkpoint");
      this.asked.push(`${NAMES[at]!} ${parseUtf8(body.subarray(0, body.indexOf(0x0a)), "old")}`);
      return this.behaviour[at]!(body, () => this.#witnesses[at]!.addCheckpoint(body));
    },
    after: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds).unref()),
  };

  panel(staging: MemoryProcess["staging"]): WitnessPanel {
    const patience = this.behaviour.includes(silent) ? 1500 : 4000;
    return new WitnessPanel({
      policy: this.#policy,
      logKeys: [TEST_SIGNER.vkey],
      network: this.network,
      staging,
      patience,
    });
  }

  async open(disk: MemoryDisk, kill?: KillPoint): Promise<{ log: Log; panel: WitnessPanel }> {
    const options = logOn(disk, kill);
    const panel = this.panel(options.staging);
    const whole = { ...options, witnesses: panel };
    return { log: disk.head === undefined ? await Log.create(whole) : await Log.open(whole), panel };
  }
}

export const published = (disk: MemoryDisk): { size: bigint; by: string[] } => {
  const note = parseNote(disk.objects.get("checkpoint")!);
  const { verified, failed } = checkSignatures(note, noteVerifiers(policy.witnesses.map(({ vkey }) => vkey)));
  expect(failed).toEqual([]);
  return {
    size: parseCheckpoint(note.unverifiedText).size,
    by: verified.map(({ verifier }) => verifier.vkey.name.slice(0, 2)).sort(),
  };
};

export async function failure(kind: LogErrorKind, run: () => Promise<unknown>): Promise<LogError> {
  const error = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ kind });
  return error as LogError;
}
