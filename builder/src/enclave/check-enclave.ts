/**
 * What a schema cannot see of an enclave image: whether the parts of a recipe fit together.
 * @module
 */
import type { ArtifactKind, ComposingRecipe } from "../recipe.ts";
import { nearestWord } from "../suggestion.ts";
import type { Inconsistency } from "../yaml-schema.ts";
import { pinnedParts, type EnclaveImage } from "./enclave.ts";

/** Every way in which `image` does not fit into its recipe; paths start at the output. */
export function* findEnclaveInconsistencies(
  image: EnclaveImage,
  { kind, recipe }: { readonly kind: ArtifactKind; readonly recipe: ComposingRecipe },
): Generator<Inconsistency> {
  if (kind !== "eif") yield { path: ["kind"], message: `what \`eif\` assembles is of kind eif, not ${kind}` };
  if ((image.cmdline ?? recipe.cmdline) === undefined)
    yield { path: ["eif"], message: "missing key `cmdline`, here or in the recipe itself" };
  const names = Object.keys(recipe.components);
  const parts = [
    { path: ["eif", "kernel"], part: image.kernel },
    ...image.ramdisks.map((part, index) => ({ path: ["eif", "ramdisks", index], part })),
  ];
  for (const { path, part } of parts) {
    if (part.kind !== "component") continue;
    const message = unknownComponent(part.component, names);
    if (message !== undefined) yield { path, message };
  }
  const hashes = new Map<string, string>();
  for (const part of pinnedParts(image)) {
    if (part.kind !== "url") continue;
    const known = hashes.get(part.url) ?? part.sha256;
    hashes.set(part.url, known);
    if (known !== part.sha256)
      yield { path: ["eif"], message: `${part.url} is named twice, with two hashes` };
  }
}

/** What is wrong with a component's name, or undefined when there is such a component. */
export function unknownComponent(component: string, names: readonly string[]): string | undefined {
  if (names.includes(component)) return undefined;
  const nearest = nearestWord(component, names);
  const known = names.length === 0 ? "the recipe has none" : `components: ${names.join(", ")}`;
  return `no component is called ${component}${nearest === undefined ? `; ${known}` : `; did you mean ${nearest}?`}`;
}

/** What an image takes from components, with the kinds that fit there. */
export function takenOutputs({ kernel, ramdisks }: EnclaveImage): {
  readonly component: string;
  readonly output: string;
  readonly kinds: readonly ArtifactKind[];
}[] {
  const taken = [];
  for (const part of [kernel, ...ramdisks])
    if (part.kind === "component") {
      const { component, output } = part;
      const kinds: ArtifactKind[] = part === kernel ? ["kernel", "file"] : ["initrd", "file"];
      taken.push({ component, output, kinds });
    }
  return taken;
}
