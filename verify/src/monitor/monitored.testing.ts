/**
 * A monitored log in memory: real statements by real keys, an index, and a monitor over them.
 * @module
 */
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import type { SigningKey } from "@bootproof/bytes/signing";
import { leafHash } from "@bootproof/log";
import {
  makeBootMeasurement,
  makeRebuild,
  type Artifact,
  type Rebuild,
  type Release,
  type ShapeRegisters,
} from "@bootproof/statement";
import { artifacts, divergedArtifacts, KEYS, rebuildOf, release, seal } from "../world.testing.ts";
import type { Alert } from "./alert.ts";
import type { MonitorIndex } from "./history.ts";
import { NOTHING_SEEN, type MonitorState } from "./monitor-state.ts";
import { Monitor } from "./monitor.ts";
import type { PlacedEntry } from "./watched-entry.ts";
import type { Watched } from "./watched.ts";

export const ORIGIN: string = KEYS.log.vkey.name;
export const DAY = 86_400;

export const WATCHED: Watched = {
  origin: ORIGIN,
  names: ["snp-*"],
  publishers: [
    { organisation: "example.org", key: KEYS.publisher.vkey, subjects: ["snp-guest", "snp-other"] },
  ],
  revoked: [KEYS.otherLog.vkey],
  confirmations: {
    within: DAY,
    rule: {
      need: 2,
      accept: ["IDENTICAL"],
      rebuilders: [
        { organisation: "a.example", key: KEYS.rebuilderA.vkey },
        { organisation: "a.example", key: KEYS.rebuilderA2.vkey },
        { organisation: "b.example", key: KEYS.rebuilderB.vkey },
        { organisation: "example.org", key: KEYS.publisherRebuilder.vkey },
      ],
    },
  },
};

export class MemoryIndex implements MonitorIndex {
  readonly #found = new Map<string, bigint[]>();
  entries = 0n;

  append(keysOfEach: readonly (readonly Uint8Array[])[]): void {
    for (const keys of keysOfEach) {
      for (const key of keys) {
        const found = this.#found.get(formatHex(key)) ?? [];
        if (found.at(-1) !== this.entries) found.push(this.entries);
        this.#found.set(formatHex(key), found);
      }
      this.entries += 1n;
    }
  }

  find(key: Uint8Array): readonly bigint[] {
    return [...(this.#found.get(formatHex(key)) ?? [])];
  }
}

/** A release in which the kernel is `kernel` and one TDX guest reports `mrtd`. */
export function releaseLeaf(
  name: string,
  version: string,
  { kernel = "vmlinuz", mrtd, by = KEYS.publisher }: { kernel?: string; mrtd?: string; by?: SigningKey } = {},
): Promise<Uint8Array> {
  const changed: Artifact[] = artifacts.map((one) =>
    one.name === "vmlinuz" ? { ...one, sha256: formatHex(sha256(utf8(kernel))) } : one,
  );
  const measured: ShapeRegisters[] =
    mrtd === undefined
      ? []
      : [{ platform: "tdx", shape: { memory: "2G" }, registers: { MRTD: valueOf(mrtd) } }];
  const made: Release = {
    ...release,
    release: { name, version },
    artifacts: changed,
    measurements: measured,
  };
  return seal(makeBootMeasurement(made), by);
}

export const valueOf = (text: string): string => formatHex(sha256(utf8(text))) + "00".repeat(16);

/** A rebuild of `leaf`, which stands at `index`. */
export function rebuildLeaf(
  leaf: Uint8Array,
  index: number,
  by: SigningKey,
  change: Partial<Rebuild> = {},
): Promise<Uint8Array> {
  const of = { origin: ORIGIN, index, leafHash: formatHex(leafHash(leaf)) };
  const same = rebuildOf().predicate as unknown as Rebuild;
  return seal(makeRebuild({ ...same, of, ...change }), by);
}

/** A rebuild in which the kernel came out otherwise. */
export const diverged: Partial<Rebuild> = {
  verdict: "DIVERGED",
  artifacts: divergedArtifacts,
  registers: { compared: 0, differ: [] },
};

/** Artifacts of a rebuild that came to nothing. */
export const nothingBuilt: Rebuild["artifacts"] = artifacts.map(({ name, sha256: digest, size }) => ({
  name,
  expected: { sha256: digest, size },
}));

export interface Watching {
  readonly alerts: Alert[];
  readonly state: MonitorState;
  readonly index: MemoryIndex;
  readonly monitor: Monitor;
}

/** Watches `leaves`, cut into batches of the sizes given (the last one is repeated). */
export async function watch(
  leaves: readonly Uint8Array[],
  {
    watched = WATCHED,
    sizes = [256],
    now = 1_000_000,
    countAt = now,
  }: { watched?: Watched; sizes?: readonly number[]; now?: number; countAt?: number } = {},
): Promise<Watching> {
  const index = new MemoryIndex();
  const entries: PlacedEntry[] = leaves.map((entry, at) => ({ index: BigInt(at), entry }));
  const monitor = new Monitor(watched, index, (at) => Promise.resolve(leaves[Number(at)]!));
  const alerts: Alert[] = [];
  let state = NOTHING_SEEN;
  for (let at = 0, turn = 0; at < entries.length; turn++) {
    const size = sizes[Math.min(turn, sizes.length - 1)] ?? 256;
    const judged = await monitor.take(state, entries.slice(at, at + size), now);
    alerts.push(...judged.alerts);
    state = judged.state;
    at += size;
  }
  for (let done = false; !done;) {
    const counted = await monitor.count(state, countAt);
    alerts.push(...counted.alerts);
    ({ state, done } = counted);
  }
  return { alerts, state, index, monitor };
}
