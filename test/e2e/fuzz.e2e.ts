import { readFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { measureSnp } from "@bootproof/measure/snp";
import { ParseError } from "@bootproof/bytes";
import { fuzz } from "../fuzz/fuzz.ts";
import { readImage } from "../fuzz/oracle/firmware-image.ts";
import { refusal } from "../fuzz/oracle/launchable.ts";
import { Complaint, type Target } from "../fuzz/target.ts";
import { ROOT, scratch } from "./command.ts";

const run = (args: readonly string[]) =>
  execa("npm", ["run", "--silent", "fuzz", "--", ...args], { cwd: ROOT, reject: false, preferLocal: true });

describe("hostile input, by the thousand", () => {
  // As many as a few seconds take; a long run is `npm run fuzz`.
  it.each([
    ["snp", 5000],
    ["reference", 5000],
    ["lint", 5000],
    ["machine", 5000],
    ["explain", 1000],
    ["igvm", 1000],
    ["identity", 200],
    ["eif", 2000],
    ["eif-signature", 100],
    ["cbor", 2000],
    ["attestation", 1000],
    ["kms", 1000],
    ["image", 300],
    ["rootfs", 300],
    ["quorum-os", 300],
  ])("%s: %d cases are answered rightly, in little time and memory", async (target, count) => {
    const { stdout, exitCode } = await run([target, "--count", `${count}`, "--seed", "20261124"]);
    expect(stdout.split("\n").at(-1)).toBe(`${count} passed, 0 failed`);
    expect(exitCode).toBe(0);
  });

  it("makes the same cases for the same seed, and others for another", async () => {
    const answers = async (seed: string): Promise<string | undefined> =>
      /\d+ answers, \d+ refusals/.exec((await run(["snp", "--count", "300", "--seed", seed])).stdout)?.[0];
    expect(await answers("7")).toBe(await answers("7"));
    expect(await answers("7")).not.toBe(await answers("8"));
  });

  it("keeps a case that fails, whether the code or the judge is to blame, and gives up after a few", async () => {
    const folder = await scratch("fuzz");
    const target: Target = {
      name: "broken",
      about: "",
      limit: 100,
      makeCase: (random) => ({
        bytes: new Uint8Array([random.below(256)]),
        given: "one byte",
        run: () => {
          if (random.oneIn(2)) throw new Complaint("a stack trace");
        },
        judge: () => {
          throw new TypeError("not a judgement");
        },
      }),
    };
    const { failed, passed, failures } = await fuzz(target, {
      seed: 1,
      first: 0,
      count: 100,
      folder,
      patience: 20,
    });
    expect({ failed, passed }).toEqual({ failed: 20, passed: 0 });
    expect(new Set(failures.map(({ message }) => message.split("\n")[0]))).toEqual(
      new Set(["a stack trace", "the judge itself threw TypeError: not a judgement"]),
    );
    expect(await readFile(failures[0]!.file)).toHaveLength(1);
  });
});

interface Malformed {
  readonly name: string;
  readonly bytes?: string;
  readonly before?: string;
  readonly after?: string;
  readonly patch?: readonly (readonly [number, string])[];
}

const vector = (name: string): Promise<Buffer> => readFile(path.join(ROOT, "measure/vectors", name));

describe("images that do not launch", () => {
  const digestOf = (firmware: Uint8Array): string | undefined => {
    try {
      return measureSnp({ firmware }, { vcpus: 2, cpu: "EPYC-Milan" }).registers["launchDigest"];
    } catch (error) {
      if (error instanceof ParseError) return undefined;
      throw error;
    }
  };

  const launches = (image: Uint8Array): boolean => {
    const read = readImage(image);
    return typeof read !== "string" && refusal(read, false) === undefined;
  };

  it("have no digest, whichever way a real one is broken, and only those", async () => {
    const { vectors } = JSON.parse((await vector("malformed.json")).toString()) as { vectors: Malformed[] };
    const base = await vector("ovmf_AmdSev_suffix.bin");
    expect(vectors).toHaveLength(53);
    for (const { name, bytes, before = "", after = "", patch = [] } of vectors) {
      const middle = bytes === undefined ? Buffer.from(base) : Buffer.from(bytes, "hex");
      for (const [offset, hex] of patch) middle.set(Buffer.from(hex, "hex"), offset);
      const image = new Uint8Array(
        Buffer.concat([Buffer.from(before, "hex"), middle, Buffer.from(after, "hex")]),
      );
      expect(digestOf(image) !== undefined, name).toBe(launches(image));
    }
  });

  it("have no digest when a real image is cut at any multiple of 64 bytes, from either end", async () => {
    const suffix = await vector("ovmf_AmdSev_suffix.bin");
    const image = new Uint8Array(64 * 1024).fill(0x5a);
    image.set(suffix, image.length - suffix.length);
    expect(digestOf(image)).toMatch(/^[0-9a-f]{96}$/);
    let launchable = 0;
    for (let cut = 64; cut < image.length; cut += 64) {
      expect(digestOf(image.subarray(0, cut)), `first ${cut} bytes`).toBeUndefined();
      // Whole pages of the end are an image of their own: as many as there are multiples of 4096.
      const end = image.subarray(image.length - cut);
      expect(digestOf(end) !== undefined, `last ${cut} bytes`).toBe(launches(end));
      if (launches(end)) launchable++;
    }
    expect(launchable).toBe(15);
  });
});
