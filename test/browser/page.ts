/**
 * What runs in the browser: every vector through the packages that a verifier's page uses. It compares nothing;
 * the test outside does.
 * @module
 */
import { asDigest, formatBase64, formatHex, parseBase64, parseHex, sha256 } from "@bootproof/bytes";
import { launchMeasure, verifyIdentity } from "@bootproof/measure/identity";
import { measureIgvm } from "@bootproof/measure/igvm";
import { measureSev, measureSevEs } from "@bootproof/measure/sev";
import {
  type FirmwareReference,
  hashDirectBoot,
  measureSnp,
  prepareFromReference,
  resolveShape,
} from "@bootproof/measure/snp";

interface Reference {
  readonly name: string;
  readonly size: number;
  readonly seed: string;
  readonly resetAddress: string;
  readonly hashTable: readonly [number, number];
  readonly sections: readonly (readonly [number, number, number])[];
}

interface Launch {
  readonly name: string;
  readonly firmware: string;
  readonly profile?: string;
  /** Instead of the seed of the firmware: another image with the same sections. */
  readonly seed?: string;
  readonly vcpus?: number;
  readonly cpu?: string;
  readonly vcpuSig?: string | number;
  readonly guestFeatures?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
}

/** What the browser computed for one vector. */
export interface Computed {
  readonly file: string;
  readonly name: string;
  readonly value: string;
}

/** What the page reports. */
export interface Report {
  readonly computed: readonly Computed[];
  readonly milliseconds: number;
}

declare global {
  /** Settled when the page is done. */
  var report: Promise<Report>;
}

globalThis.report = run();

async function run(): Promise<Report> {
  const start = performance.now();
  const images = new Map(
    await Promise.all(
      ["ovmf_AmdSev_suffix.bin", "ovmf_OvmfX64_suffix.bin"].map(
        async (name) => [name, await fetchBytes(name)] as const,
      ),
    ),
  );
  const references = new Map(
    (await load<Reference>("firmware-references.json")).map((row) => [row.name, row]),
  );
  const blobs = new Map(
    (await load<{ name: string; size: number }>("inputs.json")).map(({ name, size }) => [
      name,
      makeInput(name, size),
    ]),
  );
  const computed: Computed[] = [];
  const add = (file: string, name: string, value: string | undefined): void => {
    computed.push({ file, name, value: value ?? "nothing" });
  };
  for (const launch of await load<Launch>("launch-digests.json")) {
    if (launch.vcpus === undefined) continue; // a seed by itself
    const image = launch.seed === undefined ? images.get(launch.firmware) : undefined;
    const reference = references.get(launch.firmware);
    if (image !== undefined) add("launch-digests.json", launch.name, fromImage(image, launch, blobs));
    else if (reference !== undefined)
      add("launch-digests.json", launch.name, fromReference(reference, launch, blobs));
  }
  for (const launch of await load<Launch>("sev-digests.json")) {
    const firmware = images.get(launch.firmware);
    if (firmware !== undefined) add("sev-digests.json", launch.name, sev(firmware, launch, blobs));
  }
  for (const row of await load<Measure>("launch-measure.json"))
    add("launch-measure.json", row.name, measureOf(row));
  for (const { name, file, digests } of await load<IgvmVector>("igvm.json")) {
    const bytes = await fetchBytes(file);
    for (const reading of Object.keys(digests))
      add("igvm.json", `${name} ${reading}`, measureIgvm(bytes, { reading }).registers["launchDigest"]);
  }
  for (const row of await load<Identity>("id-block.json")) add("id-block.json", row.name, identityOf(row));
  return { computed, milliseconds: performance.now() - start };
}

type Blobs = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

const shapeOf = ({ vcpus = 1, cpu, vcpuSig, guestFeatures, profile }: Launch) => ({
  vcpus,
  cpu,
  profile,
  vcpuSig: vcpuSig === undefined ? undefined : Number(vcpuSig),
  guestFeatures: guestFeatures === undefined ? undefined : BigInt(guestFeatures),
});

const bootOf = ({ kernel, initrd, append }: Launch, blobs: Blobs) => {
  const blob = (name: string | undefined) =>
    name === undefined ? undefined : (blobs.get(name) ?? new Uint8Array());
  return kernel === undefined ? {} : { kernel: blob(kernel), initrd: blob(initrd), cmdline: append };
};

function fromImage(firmware: Uint8Array, launch: Launch, blobs: Blobs): string | undefined {
  return measureSnp({ firmware, ...bootOf(launch, blobs) }, shapeOf(launch)).registers["launchDigest"];
}

function fromReference(row: Reference, launch: Launch, blobs: Blobs): string {
  const sections = row.sections.map(([guestAddress, size, type], index) => ({
    index,
    guestAddress,
    size,
    type,
    name: undefined,
    offset: 0,
  }));
  const reference: FirmwareReference = {
    size: row.size,
    seed: asDigest("sha384", parseHex(launch.seed ?? row.seed, "seed")),
    resetAddress: Number(row.resetAddress),
    hashTable: { guestAddress: row.hashTable[0], size: row.hashTable[1] },
    metadata: { offset: 0, length: 0, unread: 0, sections },
  };
  const { kernel, initrd, cmdline } = bootOf(launch, blobs);
  const text = cmdline === undefined ? undefined : new TextEncoder().encode(cmdline);
  const boot = kernel === undefined ? undefined : hashDirectBoot({ kernel, initrd, cmdline: text });
  return formatHex(prepareFromReference(reference, boot).digest(resolveShape(shapeOf(launch))));
}

function sev(firmware: Uint8Array, launch: Launch, blobs: Blobs): string | undefined {
  const inputs = { firmware, ...bootOf(launch, blobs) };
  const { profile } = launch;
  const measurement =
    profile === "sev" ? measureSev(inputs, { profile }) : measureSevEs(inputs, shapeOf(launch));
  return measurement.registers["launchDigest"];
}

interface Measure {
  readonly name: string;
  readonly launchDigest: string;
  readonly apiMajor: number;
  readonly apiMinor: number;
  readonly buildId: number;
  readonly policy: string;
  readonly tik: string;
  readonly blob: string;
}

function measureOf(row: Measure): string {
  const mnonce = parseBase64(row.blob, "blob").subarray(32);
  const measure = launchMeasure(parseHex(row.tik, "TIK"), {
    ...row,
    policy: Number(row.policy),
    launchDigest: asDigest("sha256", parseHex(row.launchDigest, "digest")),
    mnonce,
  });
  return formatBase64(Uint8Array.from([...measure, ...mnonce]));
}

interface IgvmVector {
  readonly name: string;
  readonly file: string;
  readonly digests: Readonly<Record<string, string>>;
}

interface Identity {
  readonly name: string;
  readonly launchDigest: string;
  readonly idBlock: string;
  readonly idAuth: readonly (readonly [offset: number, hex: string])[];
}

/** Whether both signatures hold for the launch digest, and no longer when a byte of the ID block is changed. */
function identityOf({ launchDigest, idBlock, idAuth }: Identity): string {
  const block = parseBase64(idBlock, "ID block");
  const auth = new Uint8Array(4096);
  for (const [offset, hex] of idAuth) auth.set(parseHex(hex, "ID auth"), offset);
  const expected = { launchDigest: parseHex(launchDigest, "launch digest") };
  const changed = block.slice();
  changed.set([0xff], 0x40);
  const answers = [block, changed].map(
    (bytes) => verifyIdentity({ idBlock: bytes, idAuth: auth }, expected).answer,
  );
  return answers.join(", ");
}

/** A direct boot input, made by the rule that inputs.json states. */
function makeInput(name: string, size: number): Uint8Array<ArrayBuffer> {
  const blob = new Uint8Array(size);
  const encoder = new TextEncoder();
  for (let at = 0; at < size; at += 32)
    blob.set(sha256(encoder.encode(`${name}:${at / 32}`)).subarray(0, size - at), at);
  if (name === "kernel-bz") {
    blob.set([1], 0x1f1);
    blob.set(encoder.encode("HdrS"), 0x202);
    blob.set([0x0f, 0x02], 0x206);
    blob.set([1], 0x211);
  }
  return blob;
}

async function fetchBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(`/measure/vectors/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function load<T>(name: string): Promise<T[]> {
  const text = new TextDecoder().decode(await fetchBytes(name));
  return (JSON.parse(text) as { vectors: T[] }).vectors;
}
