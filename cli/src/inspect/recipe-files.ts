/**
 * Looks at what people and `lock` write: recipes and locks. It loads the builder, so it is asked last.
 * @module
 */
import {
  LOCK_FORMAT,
  parseLock,
  parseRecipe,
  type BuiltOutput,
  type ComposedOutput,
  type RamdiskPart,
} from "@bootproof/builder";
import { parseUtf8 } from "@bootproof/bytes";

import { formatFields } from "../report/table.ts";
import { textHead, type Inspector } from "./inspection.ts";

/** A lock, by its format line. */
export const inspectLock: Inspector = (bytes, file) => {
  if (!textHead(bytes).includes(LOCK_FORMAT)) return undefined;
  const lock = parseLock(parseUtf8(bytes, "lock"), file);
  const fields: [string, string][] =
    lock.form === "composing"
      ? [
          ["kind", "lock of a composing recipe"],
          ...lock.components.map(({ name, lock: sha256 }): [string, string] => [name, sha256]),
          ...lock.sources.map(({ sha256, size, origin }): [string, string] => [
            origin.kind,
            `${"path" in origin ? origin.path : origin.url}, ${String(size)} bytes, ${sha256}`,
          ]),
        ]
      : [
          ["kind", "lock"],
          ["suite", lock.request.suite],
          ["packages", String(lock.packages.length)],
          ["source files", String(lock.sources.length)],
          ["bytes", String([...lock.packages, ...lock.sources].reduce((sum, { size }) => sum + size, 0))],
          ...lock.releases.map(({ suite, date }): [string, string] => [`Release of ${suite}`, date]),
        ];
  return { kind: "lock", text: formatFields(fields), document: lock };
};

/** A recipe, by its name or its first keys. */
export const inspectRecipe: Inspector = (bytes, file) => {
  const head = textHead(bytes, 65_536);
  if (!file.endsWith(".recipe.yaml") && !(/^name:/m.test(head) && /^outputs:/m.test(head))) return undefined;
  const recipe = parseRecipe(parseUtf8(bytes, "recipe"), file);
  const outputs: Readonly<Record<string, BuiltOutput | ComposedOutput>> = recipe.outputs;
  const fields: [string, string][] = [
    ["kind", `${recipe.form} recipe`],
    ["name", `${recipe.name} ${recipe.version}`],
    ...Object.entries(outputs).flatMap(([name, output]): [string, string][] => [
      ["output", `${name} (${output.kind})`],
      ...("from" in output ? enclaveFields(output.from) : []),
    ]),
    ...recipe.platforms.map(({ platform, vcpus, cpu }): [string, string] => [
      "platform",
      cpu.length === 0 && vcpus.length === 0
        ? platform
        : `${platform}, ${cpu.join(" ")}, ${String(vcpus.length)} vCPU counts`,
    ]),
  ];
  return { kind: "recipe", text: formatFields(fields), document: recipe };
};

/** The parts of an enclave image, in the order of the file. */
function enclaveFields(from: ComposedOutput["from"]): [string, string][] {
  if (from === "cmdline" || "component" in from) return [];
  const { architecture, kernel, ramdisks, signature } = from.eif;
  return [
    ["  architecture", architecture],
    ["  kernel", describePart(kernel)],
    ...ramdisks.map((part, index): [string, string] => [
      `  ramdisk ${String(index + 1)}`,
      describePart(part),
    ]),
    ...(signature === undefined ? [] : ([["  signed by", signature.certificate.path]] as [string, string][])),
  ];
}

function describePart(part: RamdiskPart): string {
  switch (part.kind) {
    case "component":
      return `${part.component}/${part.output}`;
    case "file":
      return `file ${part.path}`;
    case "url":
      return part.url;
    case "image":
      return `image ${part.from.kind === "url" ? part.from.url : part.from.path} ${part.digest ?? ""}`.trim();
    case "cpio":
      return `files of ${part.path}`;
    case "folder":
      return `folder ${part.path}, runs ${part.cmd?.join(" ") ?? ""}`;
  }
}
