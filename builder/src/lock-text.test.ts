import fc from "fast-check";
import { expect, it } from "vitest";
import { BuildError } from "./build-error.ts";
import type { BuildingLock, ComposingLock, Lock } from "./lock.ts";
import { formatLock, MAX_LOCK_SIZE, parseLock } from "./lock-text.ts";

const A = "a".repeat(64);
const B = "0123456789abcdef".repeat(4);

const LOCK: BuildingLock = {
  form: "building",
  request: {
    suite: "trixie",
    packages: ["bash", "gcc"],
    sources: [
      "debian edk2 2025.02-8+deb13u1 trixie",
      "file grub.cfg",
      `url p.tar.gz ${A} https://example.org/p#1`,
    ],
  },
  releases: [
    {
      suite: "sid",
      date: "Fri, 30 Oct 2026 08:08:01 UTC",
      validUntil: "Fri, 06 Nov 2026 08:08:01 UTC",
      expired: true,
      signedBy: ["12345678901234567890123456789012345678E0"],
    },
    {
      suite: "trixie",
      date: "Sat, 21 Nov 2026 09:15:44 UTC",
      validUntil: undefined,
      expired: false,
      signedBy: ["04B54C3CDCA79751B16BC6B5225629DF75B188BD"],
    },
  ],
  packages: [
    {
      name: "bash",
      version: "5.2.37-2+b10",
      arch: "amd64",
      size: 1500792,
      sha256: A,
      path: "pool/main/b/bash/bash_5.2.37-2+b10_amd64.deb",
    },
    {
      name: "gcc",
      version: "4:14.2.0-1",
      arch: "all",
      size: 5136,
      sha256: B,
      path: "pool/main/g/gcc-defaults/gcc_14.2.0-1_amd64.deb",
    },
  ],
  sources: [
    {
      name: "edk2_2025.02.orig.tar.xz",
      size: 29646336,
      sha256: A,
      origin: { kind: "pool", path: "pool/main/e/edk2/edk2_2025.02.orig.tar.xz" },
    },
    { name: "grub.cfg", size: 0, sha256: B, origin: { kind: "file", path: "config/grub.cfg" } },
    { name: "p.tar.gz", size: 7, sha256: A, origin: { kind: "url", url: "https://example.org/p#1" } },
    {
      name: "svsm.tar",
      size: 10240,
      sha256: B,
      origin: { kind: "git", url: "https://example.org/svsm.git", commit: "0".repeat(40) },
    },
  ],
};
const COMPOSING: ComposingLock = {
  form: "composing",
  components: [
    { name: "firmware", lock: A, recipe: "../../ovmf/recipes/ovmf.recipe.yaml" },
    { name: "kernel", lock: B, recipe: "linux.recipe.yaml" },
  ],
  sources: [],
};
/** A composing recipe that assembles an enclave image. */
const ASSEMBLING: ComposingLock = {
  form: "composing",
  components: [],
  sources: [
    { name: "hello.oci", size: 9, sha256: A, origin: { kind: "layout", path: "hello.oci" } },
    {
      name: "https://example.org/i.tar",
      size: 7,
      sha256: B,
      origin: { kind: "url", url: "https://example.org/i.tar" },
    },
    { name: "parts/bzImage", size: 512, sha256: B, origin: { kind: "file", path: "parts/bzImage" } },
    { name: "rootfs", size: 10240, sha256: A, origin: { kind: "folder", path: "rootfs" } },
  ],
};
const TEXT = formatLock(LOCK);

it("every form comes back as it was written", () => {
  expect(parseLock(TEXT, "x.lock.yaml")).toEqual(LOCK);
  expect(parseLock(formatLock(COMPOSING), "x.lock.yaml")).toEqual(COMPOSING);
  expect(parseLock(formatLock(ASSEMBLING), "x.lock.yaml")).toEqual(ASSEMBLING);
});

it("a package and a source are one line each, so that a diff shows which changed", () => {
  const changed = {
    ...LOCK,
    packages: LOCK.packages.map((entry) => (entry.name === "gcc" ? { ...entry, sha256: A } : entry)),
  };
  const lines = formatLock(changed).split("\n");
  expect(TEXT.split("\n").filter((line, index) => line !== lines[index])).toEqual([
    `  - gcc 4:14.2.0-1 all 5136 ${B} pool/main/g/gcc-defaults/gcc_14.2.0-1_amd64.deb`,
  ]);
});

it("the order in which things were found leaves no trace", () => {
  const shuffled: BuildingLock = {
    ...LOCK,
    releases: LOCK.releases.toReversed(),
    packages: LOCK.packages.toReversed(),
    sources: LOCK.sources.toReversed(),
  };
  expect(formatLock(shuffled)).toBe(TEXT);
});

const LINE = `bash 5.2.37-2+b10 amd64 1500792 ${A} pool/main/b/bash/bash_5.2.37-2+b10_amd64.deb`;
const REJECTED: readonly [name: string, from: string, to: string, code: string, says: string][] = [
  [
    "another version of the format",
    "bootproof/lock/1",
    "bootproof/lock/2",
    "BP-LOCK-001",
    "x:2:9: format: expected one of bootproof/lock/1",
  ],
  [
    "an unknown key",
    "request:",
    "requests: {}\nrequest:",
    "BP-LOCK-001",
    "x:3:1: requests: unknown key; did you mean request?",
  ],
  ["a short hash", B, B.slice(1), "BP-LOCK-001", "packages.1: expected a line"],
  ["a hash in upper case", A, A.toUpperCase(), "BP-LOCK-001", "request.sources.2: expected a source"],
  [
    "a path out of the pool",
    "pool/main/b/bash/",
    "pool/../../etc/",
    "BP-LOCK-001",
    "packages.0: expected a line",
  ],
  ["a path elsewhere", "pool/main/b/bash/", "/etc/", "BP-LOCK-001", "packages.0: expected a line"],
  [
    "a file beyond the recipe's folder",
    "file config/grub.cfg",
    "file ../grub.cfg",
    "BP-LOCK-001",
    "sources.1: expected a line",
  ],
  ["a name that is a path", "- p.tar.gz 7", "- a/p.tar.gz 7", "BP-LOCK-001", "sources.2: expected a line"],
  [
    "a URL of another kind",
    "url https://example.org/p#1\n",
    "url ftp://example.org/p#1\n",
    "BP-LOCK-001",
    "sources.2: expected a line",
  ],
  ["an absurd size", " 1500792 ", " 999999999999 ", "BP-LOCK-001", "expected a size of at most"],
  [
    "a package twice",
    `  - ${LINE}\n`,
    `  - ${LINE}\n  - ${LINE}\n`,
    "BP-LOCK-001",
    "packages: a name appears twice in this list",
  ],
  ["a fingerprint in lower case", "E0", "e0", "BP-LOCK-001", "signedBy.0: expected a fingerprint"],
  ["another architecture", " amd64 ", " arm64 ", "BP-LOCK-001", "packages.0: expected a line"],
  [
    "a comment of one's own",
    "request:",
    "# mine\nrequest:",
    "BP-LOCK-002",
    "x:3:1: the lock is not in its canonical spelling",
  ],
  ["a space at the end of a line", "suite: trixie\n", "suite: trixie \n", "BP-LOCK-002", "x:4:1:"],
  ["packages out of order", "    - bash\n    - gcc\n", "    - gcc\n    - bash\n", "BP-LOCK-002", "x:6:1:"],
  ["a size with a leading zero", " 5136 ", " 05136 ", "BP-LOCK-001", "packages.1: expected a line"],
  ["broken YAML", "request:", "request: [", "BP-LOCK-001", "x:"],
];

it.each(REJECTED)("a lock with %s is refused", (_, from, to, code, says) => {
  const changed = TEXT.replace(from, to);
  expect(changed).not.toBe(TEXT);
  expect(refusal(changed)).toMatchObject({ code });
  expect(refusal(changed)?.message).toContain(says);
});

it("a lock cut short or too large is refused", () => {
  expect(refusal(TEXT.slice(0, -1))?.code).toBe("BP-LOCK-002");
  expect(refusal(TEXT.slice(0, TEXT.indexOf("sources:\n  - ")))?.code).toBe("BP-LOCK-001");
  expect(refusal("#".repeat(MAX_LOCK_SIZE + 1))?.code).toBe("BP-LOCK-001");
});

it("any text is a lock in its one spelling, or refused", () => {
  const check = (text: string): void => {
    const error = refusal(text);
    if (error === undefined) expect(formatLock(parseLock(text, "x"))).toBe(text);
    else expect(error.code).toMatch(/^BP-LOCK-00[12]$/);
  };
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 100 }), check));
  fc.assert(
    fc.property(fc.nat(TEXT.length - 1), fc.string({ unit: "grapheme-ascii", maxLength: 2 }), (at, put) => {
      check(TEXT.slice(0, at) + put + TEXT.slice(at + 1));
    }),
    { numRuns: 500 },
  );
});

it("any lock comes back as it was printed", () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom("0", "1", "9", "a", "e", "f"), minLength: length, maxLength: length });
  const name = fc
    .string({ unit: fc.constantFrom("a", "0", "-", "+", "."), minLength: 1, maxLength: 5 })
    .map((rest) => `a${rest}`);
  const packages = fc.uniqueArray(
    fc.record({
      name,
      version: fc.constantFrom("1", "1e5", "2:0x1", "0~"),
      arch: fc.constantFrom("amd64" as const, "all" as const),
      size: fc.nat(),
      sha256: hex(64),
      path: name.map((file) => `pool/main/${file}`),
    }),
    { selector: (entry) => entry.name },
  );
  fc.assert(
    fc.property(packages, hex(40), (list, digits) => {
      const lock: Lock = {
        ...LOCK,
        packages: list.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        releases: [{ ...LOCK.releases[0]!, signedBy: [digits.toUpperCase()] }],
      };
      expect(parseLock(formatLock(lock), "x")).toEqual(lock);
    }),
  );
});

function refusal(text: string): BuildError | undefined {
  try {
    parseLock(text, "x");
    return undefined;
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
}
