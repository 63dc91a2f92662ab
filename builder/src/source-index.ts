/**
 * A suite's Sources index: the files of the source packages that are asked for. The .dsc itself is
 * left out: it repeats what the signed index says and no build reads it, and mirrors lack it at times.
 * @module
 */
import { ParseError, parseDecimal, quote } from "@bootproof/bytes";
import { BuildError } from "./build-error.ts";
import { readDeb822, type Paragraph } from "./deb822.ts";
import type { LockedSource } from "./lock.ts";

/** A source package in one exact version. */
export interface SourceRequest {
  readonly package: string;
  readonly version: string;
}

const FIELDS = ["Package", "Version", "Directory", "Checksums-Sha256"];
const MAX_FILES = 64;
const MAX_SOURCE_SIZE = 16n * 1024n * 1024n * 1024n;

/** The files of each request; throws {@link ParseError} or {@link BuildError} BP-RESOLVE-004. */
export async function findSources(
  pieces: AsyncIterable<Uint8Array>,
  requests: readonly SourceRequest[],
  suite: string,
): Promise<readonly LockedSource[]> {
  const found = new Map<string, readonly LockedSource[]>();
  const versions = new Map<string, string[]>();
  const wanted = new Set(requests.map((request) => request.package));
  for await (const paragraph of readDeb822(pieces, FIELDS)) {
    const name = paragraph.get("Package") ?? "";
    const version = paragraph.get("Version") ?? "";
    if (!wanted.has(name)) continue;
    versions.set(name, [...(versions.get(name) ?? []), version]);
    if (requests.some((request) => request.package === name && request.version === version))
      found.set(`${name} ${version}`, readFiles(paragraph));
  }
  return requests.flatMap((request) => {
    const files = found.get(`${request.package} ${request.version}`);
    if (files === undefined) throw absent(request, versions.get(request.package) ?? [], suite);
    return files;
  });
}

function absent(
  { package: name, version }: SourceRequest,
  versions: readonly string[],
  suite: string,
): BuildError {
  return new BuildError("BP-RESOLVE-004", `source package ${name} ${version} is not in ${suite}`, {
    expected: version,
    found: versions.length === 0 ? "no source package of that name" : versions.join(", "),
    hint:
      versions.length === 0
        ? "a source package is often named otherwise than its packages"
        : "change the version in the recipe, or lock against a mirror that still has it (--mirror)",
  });
}

function readFiles(paragraph: Paragraph): LockedSource[] {
  const name = paragraph.get("Package") ?? "";
  const directory = paragraph.get("Directory") ?? "";
  if (!/^pool(?:\/[A-Za-z0-9_+-][A-Za-z0-9._+~-]{0,199}){1,8}$/.test(directory))
    throw new ParseError("BAD_ENCODING", `Sources field Directory of ${name}`, { found: quote(directory) });
  const lines = (paragraph.get("Checksums-Sha256") ?? "").split("\n").slice(1);
  if (lines.length > MAX_FILES)
    throw new ParseError("TOO_LARGE", `Sources field Checksums-Sha256 of ${name}`);
  const files = lines.map((line) => readFile(line, name, directory));
  if (!files.some((file) => file.name.endsWith(".dsc")))
    throw new ParseError("MISSING", `Sources field Checksums-Sha256 of ${name}`, { expected: "a .dsc" });
  return files.filter((file) => !file.name.endsWith(".dsc"));
}

function readFile(line: string, name: string, directory: string): LockedSource {
  const [sha256 = "", size = "", file = "", ...rest] = line.split(/ +/);
  if (!/^[0-9a-f]{64}$/.test(sha256) || !/^[A-Za-z0-9][A-Za-z0-9._+~-]{0,199}$/.test(file) || rest.length > 0)
    throw new ParseError("BAD_ENCODING", `Sources field Checksums-Sha256 of ${name}`, {
      expected: "hash size name",
      found: quote(line),
    });
  return {
    name: file,
    size: Number(parseDecimal(size, `size of ${file}`, MAX_SOURCE_SIZE)),
    sha256,
    origin: { kind: "pool", path: `${directory}/${file}` },
  };
}
