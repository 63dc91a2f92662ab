import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { scratchFolder } from "../scratch.testing.ts";
import { FiledAdmission } from "./admission-files.ts";
import { ACME, GLOBEX, LOG, PUBLISHERS, releaseStatement, seal } from "./tenants.testing.ts";

const NOON = 1_700_000_000;
const RELOAD_MS = 1_100;

async function open(folder: string, said: string[] = []): Promise<FiledAdmission> {
  return FiledAdmission.open({
    publishers: join(folder, "publishers.yaml"),
    quotas: join(folder, "quotas.json"),
    log: LOG,
    now: () => NOON,
    report: (line) => said.push(line),
  });
}
const numbered = (at: number): Promise<Uint8Array> =>
  seal(releaseStatement("acme-q", { release: { name: "acme-q", version: `${at}` } }), ACME);
const code = async (admission: FiledAdmission, body: Uint8Array): Promise<string> => {
  const answer = await admission.admit(body);
  return "code" in answer ? answer.code : "admitted";
};

describe("admission by files: a restart must not hand out a second quota", () => {
  it("counts on where the process before stopped", async () => {
    const folder = await scratchFolder();
    await writeFile(join(folder, "publishers.yaml"), PUBLISHERS);
    const first = await open(folder);
    for (let at = 0; at < 5; at++) expect(await code(first, await numbered(at))).toBe("admitted");
    await first.close();
    const second = await open(folder);
    expect(await code(second, await numbered(5))).toBe("BP-ADMIT-012");
    await second.close();
    await writeFile(join(folder, "quotas.json"), "{}");
    const said: string[] = [];
    const third = await open(folder, said);
    expect(said.join()).toContain("begin anew");
    await third.close();
    // Nothing was used, so nothing is written over what could not be read.
    expect(await readFile(join(folder, "quotas.json"), "utf8")).toBe("{}");
  });

  it("takes a changed list within seconds, and keeps the old one when the new one cannot be read", async () => {
    const folder = await scratchFolder();
    const file = join(folder, "publishers.yaml");
    await writeFile(file, PUBLISHERS);
    const said: string[] = [];
    const admission = await open(folder, said);
    const theirs = await seal(releaseStatement("globex-a"), GLOBEX);
    expect(await code(admission, theirs)).toBe("admitted");
    await writeFile(file, PUBLISHERS.replace("globex-*", "initech-*"));
    await new Promise((resolve) => setTimeout(resolve, RELOAD_MS));
    expect(await code(admission, theirs)).toBe("BP-ADMIT-010");
    await writeFile(file, "publishers: nobody");
    await new Promise((resolve) => setTimeout(resolve, RELOAD_MS));
    expect(await code(admission, theirs)).toBe("BP-ADMIT-010");
    expect(said.at(-1)).toContain("publishers.yaml:1:13");
    await admission.close();
  });

  it("says which file is missing", async () => {
    await expect(open(await scratchFolder())).rejects.toMatchObject({ code: "BP-ADMIT-013" });
  });
});
