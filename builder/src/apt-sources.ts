/**
 * The mirrors that this machine's own apt uses (sources.list(5)): one-line `*.list` files and
 * deb822 `*.sources` files. Options and signing keys are left aside: we check signatures ourselves.
 * @module
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseUtf8, utf8 } from "@bootproof/bytes";
import { readDeb822 } from "./deb822.ts";

const MAX_FILES = 256;

/** Base URLs of archives in apt's configuration under `root`, in its order, each once; unreadable files are passed over. */
export async function readAptMirrors(root = "/etc/apt"): Promise<readonly string[]> {
  const parts = join(root, "sources.list.d");
  const names = (await readdir(parts).catch(() => [])).sort().slice(0, MAX_FILES);
  const files = [join(root, "sources.list"), ...names.map((name) => join(parts, name))];
  const urls: string[] = [];
  for (const file of files) {
    if (!/\.(?:list|sources)$/.test(file)) continue;
    const bytes = await readFile(file).catch(() => undefined);
    if (bytes === undefined) continue;
    urls.push(...(await readMirrors(bytes, file.endsWith(".sources")).catch(() => [])));
  }
  return [...new Set(urls)];
}

async function readMirrors(bytes: Uint8Array, deb822: boolean): Promise<readonly string[]> {
  return deb822 ? readSources(bytes) : readList(parseUtf8(bytes, "sources.list"));
}

function readList(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [, , url = "", suite = ""] = /^\s*(deb|deb-src)\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)/.exec(line) ?? [];
    return archiveUrl(url, [suite]);
  });
}

async function readSources(bytes: Uint8Array): Promise<string[]> {
  const ended = bytes.at(-1) === 0x0a ? bytes : utf8(`${parseUtf8(bytes, "apt sources")}\n`);
  const urls: string[] = [];
  for await (const paragraph of readDeb822([ended], ["Enabled", "URIs", "Suites"])) {
    if (/^(?:no|false|0|off)$/i.test(paragraph.get("Enabled") ?? "yes")) continue;
    const suites = (paragraph.get("Suites") ?? "").split(/\s+/);
    for (const url of (paragraph.get("URIs") ?? "").split(/\s+/)) urls.push(...archiveUrl(url, suites));
  }
  return urls;
}

/** Only what can have our pool: http(s), a suite by name (`/` ends a flat repository), not security updates alone. */
function archiveUrl(url: string, suites: readonly string[]): string[] {
  if (!/^https?:\/\/[!-~]+$/.test(url)) return [];
  const usable = suites.some((suite) => /^[a-z]/.test(suite) && !/(?:-security$|\/)/.test(suite));
  return usable ? [url.replace(/\/+$/, "")] : [];
}
