/**
 * Looks at what people and `lock` write: recipes and locks. It loads the builder, so it is asked last.
 * @module
 */
import { LOCK_FORMAT, parseLock, parseRecipe } from "@bootproof/builder";
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
  const fields: [string, string][] = [
    ["kind", `${recipe.form} recipe`],
    ["name", `${recipe.name} ${recipe.version}`],
    ...Object.entries(recipe.outputs).map(([name, { kind }]): [string, string] => [
      "output",
      `${name} (${kind})`,
    ]),
    ...recipe.platforms.map(({ platform, vcpus, cpu }): [string, string] => [
      "platform",
      `${platform}, ${cpu.join(" ")}, ${String(vcpus.length)} vCPU counts`,
    ]),
  ];
  return { kind: "recipe", text: formatFields(fields), document: recipe };
};
