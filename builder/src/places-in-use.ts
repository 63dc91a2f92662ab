/**
 * Which toolchain roots and logs of a store running builds are using: each says so in its own work folder, before it
 * looks at them, so that neither a collection nor another build of the same action takes them away.
 * @module
 */
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { isStale } from "./work-folder.ts";

const FILE = "uses";

/** Says that the build in the work folder `work` uses `places`, paths below the store; replaces what it said before. */
export async function claimPlaces(work: string, places: readonly string[]): Promise<void> {
  const temporary = join(work, `${FILE}.new`);
  await writeFile(temporary, places.map((place) => `${place}\n`).join(""));
  await rename(temporary, join(work, FILE));
}

/** What the running builds in `works` use, except the one in the work folder `except`. */
export async function placesInUse(works: string, except?: string): Promise<Set<string>> {
  const used = new Set<string>();
  for (const name of await readdir(works).catch(() => [])) {
    const folder = join(works, name);
    if ((except !== undefined && name === basename(except)) || (await isStale(name, folder))) continue;
    const text = await readFile(join(folder, FILE), "utf8").catch(() => "");
    for (const place of text.split("\n")) if (place !== "") used.add(place);
  }
  return used;
}
