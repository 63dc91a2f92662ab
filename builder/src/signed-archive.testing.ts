/**
 * A tiny Debian archive for tests: packages and sources, their indexes, and a Release signed by a key
 * made on the spot.
 * @module
 */
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import { createCleartextMessage, generateKey, sign, type PrivateKey } from "openpgp";
import { storeAsXz } from "./xz-stored.testing.ts";

/** What a test says of a package; everything else is made up from its name. */
export interface TestPackage {
  readonly version?: string;
  readonly arch?: string;
  readonly depends?: string;
  readonly preDepends?: string;
  readonly recommends?: string;
  readonly provides?: string;
  readonly priority?: string;
  readonly essential?: boolean;
}

/** The bytes of a package's .deb: no real one, resolving and fetching never look inside. */
export const debBytes = (name: string): Uint8Array<ArrayBuffer> => utf8(`the package ${name}\n`.repeat(50));

/** The path of a package's .deb in the pool. */
export const debPath = (name: string, { version = "1", arch = "amd64" }: TestPackage = {}): string =>
  `pool/main/${name.charAt(0)}/${name}/${name}_${version.replace(/^.*:/, "")}_${arch}.deb`;

/** A Packages index. */
export function packagesText(packages: Readonly<Record<string, TestPackage>>): string {
  return Object.entries(packages)
    .map(([name, entry]) => {
      const bytes = debBytes(name);
      const optional = (field: string, value: string | undefined): string[] =>
        value === undefined || value === "" ? [] : [`${field}: ${value}`];
      return [
        `Package: ${name}`,
        `Version: ${entry.version ?? "1"}`,
        `Architecture: ${entry.arch ?? "amd64"}`,
        ...optional("Essential", entry.essential === true ? "yes" : undefined),
        ...optional("Priority", entry.priority),
        ...optional("Depends", entry.depends),
        ...optional("Pre-Depends", entry.preDepends),
        ...optional("Recommends", entry.recommends),
        ...optional("Provides", entry.provides),
        `Filename: ${debPath(name, entry)}`,
        `Size: ${bytes.length}`,
        `SHA256: ${formatHex(sha256(bytes))}`,
        "\n",
      ].join("\n");
    })
    .join("");
}

/** The path of a source package's only tarball in the pool. */
export const sourcePath = (name: string, version: string): string =>
  `pool/main/${name.charAt(0)}/${name}/${name}_${version}.tar.xz`;

function sourcesText(sources: Readonly<Record<string, string>>): string {
  return Object.entries(sources)
    .map(([name, version]) => {
      const bytes = debBytes(name);
      const path = sourcePath(name, version);
      const line = (file: string): string => ` ${formatHex(sha256(bytes))} ${bytes.length} ${file}`;
      const file = path.slice(path.lastIndexOf("/") + 1);
      return [
        `Package: ${name}`,
        `Version: ${version}`,
        `Directory: ${path.slice(0, path.lastIndexOf("/"))}`,
        "Checksums-Sha256:",
        line(`${name}_${version}.dsc`),
        line(file),
        "\n",
      ].join("\n");
    })
    .join("");
}

/** What a test says of an archive. */
export interface TestArchive {
  readonly suite?: string;
  readonly codename?: string;
  readonly date?: string;
  readonly validUntil?: string;
  readonly packages?: Readonly<Record<string, TestPackage>>;
  readonly sources?: Readonly<Record<string, string>>;
  /** Instead of the index made from `packages`. */
  readonly packagesIndex?: string;
  readonly byHash?: boolean;
}

/** An archive key: the private half signs Releases, the armored public half checks them. */
export interface TestKey {
  readonly privateKey: PrivateKey;
  readonly publicKey: string;
}

/** Makes an archive key. */
export async function makeTestKey(): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKey({
    type: "ecc",
    userIDs: [{ name: "test archive" }],
    format: "object",
    date: new Date("2026-01-01T00:00:00Z"),
  });
  return { privateKey, publicKey: publicKey.armor() };
}

/** Signs a text as Release is signed. */
export async function clearSign(text: string, key: TestKey): Promise<string> {
  const message = await createCleartextMessage({ text });
  return sign({ message, signingKeys: key.privateKey, date: new Date("2026-11-21T00:00:00Z") });
}

/** Every file of the archive by its path under the mirror. */
export async function makeArchive(archive: TestArchive, key: TestKey): Promise<Map<string, Uint8Array>> {
  const suite = archive.suite ?? "trixie";
  const packages = archive.packages ?? {};
  const files = new Map<string, Uint8Array>();
  for (const [name, entry] of Object.entries(packages)) files.set(debPath(name, entry), debBytes(name));
  for (const [name, version] of Object.entries(archive.sources ?? {}))
    files.set(sourcePath(name, version), debBytes(name));
  const indexes: [string, string][] = [
    ["main/binary-amd64/Packages.xz", archive.packagesIndex ?? packagesText(packages)],
    ["main/source/Sources.xz", sourcesText(archive.sources ?? {})],
  ];
  const lines: string[] = [];
  for (const [path, text] of indexes) {
    const bytes = storeAsXz(utf8(text));
    const hash = formatHex(sha256(bytes));
    lines.push(` ${hash} ${bytes.length} ${path}`);
    files.set(`dists/${suite}/${path}`, bytes);
    if (archive.byHash !== false)
      files.set(`dists/${suite}/${path.slice(0, path.lastIndexOf("/"))}/by-hash/SHA256/${hash}`, bytes);
  }
  const release = [
    "Suite: stable",
    `Codename: ${archive.codename ?? suite}`,
    `Date: ${archive.date ?? "Sat, 21 Nov 2026 09:15:44 UTC"}`,
    ...(archive.validUntil === undefined ? [] : [`Valid-Until: ${archive.validUntil}`]),
    "SHA256:",
    ...lines,
  ];
  files.set(`dists/${suite}/InRelease`, utf8(await clearSign(`${release.join("\n")}\n`, key)));
  return files;
}
