/**
 * Builds a recipe, then each of its actions again under other conditions, and compares: what comes out must not
 * depend on where, when, as whom or on how many processors it was built.
 * @module
 */
import type { Blob } from "@bootproof/store";
import {
  buildRecipe,
  prepareBuild,
  tell,
  type BuildOptions,
  type BuildResult,
  type BuiltComponent,
} from "./build.ts";
import { compareArtifacts, type Comparison, type SectionDescriber } from "./compare.ts";
import { allowedProcessors, varyConditions, type Variation } from "./conditions.ts";
import { assembleTwice } from "./enclave/assemble-twice.ts";
import { LocalExecutor } from "./executor.ts";
import { endTogether, JobSlots } from "./job-slots.ts";

/** What building an action twice showed. */
export interface TwiceComponent {
  readonly component: string;
  readonly comparison: Comparison;
  readonly variations: readonly Variation[];
}

/** What building a recipe twice showed. */
export interface TwiceResult {
  /** The first build, under the standard conditions. */
  readonly first: BuildResult;
  readonly verdict: Comparison["verdict"];
  readonly components: readonly TwiceComponent[];
}

/** Builds `recipe` twice; the second time always runs. Throws BuildError when either build fails. */
export async function buildTwice(
  recipe: Parameters<typeof buildRecipe>[0],
  options: BuildOptions,
  describe?: SectionDescriber,
): Promise<TwiceResult> {
  const first = await buildRecipe(recipe, options);
  // A varied build has one processor, so as many run side by side as there are processors.
  const [processor = 0, ...more] = allowedProcessors();
  const slots = new JobSlots([processor, ...more.slice(0, Math.max(0, first.components.length - 1))]);
  const components = await endTogether(slots, options.signal, (signal) =>
    Promise.all(
      first.components.map((built) =>
        slots.run((own) => buildAgain(built, { ...options, signal }, own, first.components.length, describe)),
      ),
    ),
  );
  const assemblies = await assembleAllAgain(first, options, describe);
  const shown = [...components, ...assemblies];
  const same = shown.every(({ comparison }) => comparison.verdict === "IDENTICAL");
  return { first, verdict: same ? "IDENTICAL" : "DIVERGED", components: shown };
}

/** One after the other: each may be as large as memory. */
async function assembleAllAgain(
  { assemblies }: BuildResult,
  options: BuildOptions,
  describe: SectionDescriber | undefined,
): Promise<TwiceComponent[]> {
  const again: TwiceComponent[] = [];
  for (const { component, order, blob } of assemblies) {
    const { store, signal } = options;
    const name = component.split("/").at(-1) ?? component;
    const shown = await tell(options, component, "assemble (again)", () =>
      assembleTwice(order, { store, name, first: blob, signal, describe }),
    );
    again.push({ component: component.split("/").slice(0, -1).join("/"), ...shown });
  }
  return again;
}

async function buildAgain(
  built: BuiltComponent,
  options: BuildOptions,
  processor: number,
  sharedBy: number,
  describe: SectionDescriber | undefined,
): Promise<TwiceComponent> {
  const { component, recipe } = built;
  const { action, rootOptions } = await prepareBuild(recipe, component, options);
  const { conditions, variations } = varyConditions(action.sourceDateEpoch, built.buildSize, {
    processor,
    sharedBy,
    folder: options.store.path,
  });
  const second = await new LocalExecutor(options.store).execute(action, {
    ...rootOptions,
    packages: recipe.lock.lock.packages,
    label: `${recipe.recipe.recipe.name}-again`,
    conditions,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    onStep: (event) => options.onEvent?.({ component, ...event, step: `${event.step} (again)` }),
  });
  const comparison = await compareArtifacts(
    options.store.blobs,
    blobsOf(built.outputs),
    second.outputs,
    describe,
  );
  return { component, comparison, variations };
}

const blobsOf = (outputs: BuiltComponent["outputs"]): Record<string, Blob> =>
  Object.fromEntries(Object.entries(outputs).map(([name, { sha256, size }]) => [name, { sha256, size }]));
