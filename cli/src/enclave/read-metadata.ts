/**
 * The metadata of an image to be, from the options: nothing of the machine, and no time unless one is given.
 * @module
 */
import { formatEifMetadata, kernelConfigIdentity } from "@bootproof/boot/eif";
import { type JsonValue, parseStrictJson } from "@bootproof/bytes";

import { reading } from "../errors/reading.ts";
import { readInput } from "../frame/files.ts";
import { badValue, type Given } from "../frame/given.ts";
import { VERSION } from "../frame/version.ts";

/** nitro-cli takes no larger file. */
const MAX_CUSTOM = 4096;
const MAX_CONFIG = 2 ** 24;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)$/;

/** The bytes of the metadata section. */
export async function readMetadata(given: Given): Promise<Uint8Array> {
  const kernel = await readKernelConfig(given.text("kernelConfig"));
  return formatEifMetadata({
    // Not the output's: the same inputs make the same bytes under any name.
    name: given.text("name") ?? "enclave",
    version: given.text("imageVersion") ?? "1",
    buildTool: "bootproof",
    buildToolVersion: VERSION,
    ...kernel,
    ...buildTime(given.text("buildTime")),
    custom: await readCustom(given.text("metadata")),
  });
}

function buildTime(text: string | undefined): { buildTime?: string } {
  if (text === undefined) return {};
  if (!TIME.test(text) || Number.isNaN(Date.parse(text)))
    throw badValue("--build-time", "a time such as 2026-01-31T12:00:00Z", text);
  return { buildTime: text.replace(/Z$/, "+00:00") };
}

async function readKernelConfig(
  path: string | undefined,
): Promise<{ operatingSystem: string; kernelVersion: string }> {
  // The fields must be there: readers refuse metadata without them.
  if (path === undefined) return { operatingSystem: "Linux", kernelVersion: "unknown" };
  const bytes = await readInput(path, MAX_CONFIG);
  const found = reading(path, () => kernelConfigIdentity(bytes));
  if (found !== undefined) return found;
  throw badValue("--kernel-config", "a kernel's .config, whose third line names its version", "another file");
}

async function readCustom(path: string | undefined): Promise<JsonValue> {
  if (path === undefined) return null;
  const bytes = await readInput(path, MAX_CUSTOM);
  return reading(path, () => parseStrictJson(bytes, "metadata", MAX_CUSTOM));
}
