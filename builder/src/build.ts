/**
 * Builds a locked recipe: inputs, toolchain root, action, and then its remembered result or a run. A composing recipe
 * builds its components side by side, each as an action of its own, and assembles enclave images from what comes out.
 * @module
 */
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { utf8 } from "@bootproof/bytes";
import type { Blob } from "@bootproof/store";
import { findActionResult, rememberActionResult, type ActionResult } from "./action-cache.ts";
import { prepareAction, type PreparedAction } from "./action.ts";
import type { BuildLimits } from "./control-group.ts";
import { assemble, type Assembled } from "./enclave/assemble.ts";
import { orderAssembly, type AssemblyOrder } from "./enclave/assembly.ts";
import { bringParts } from "./enclave/bring-parts.ts";
import { LocalExecutor, type Executor } from "./executor.ts";
import { endTogether, JobSlots } from "./job-slots.ts";
import { fetchInputs, type FetchOptions } from "./inputs.ts";
import type { BuildingLock } from "./lock.ts";
import type { LockedBuilding, LockedComposition, LockedRecipe } from "./locked-recipe.ts";
import type { ArtifactKind } from "./recipe.ts";
import {
  openToolchainRoot,
  recallToolchainRoot,
  type BuildStore,
  type RootOptions,
  type ToolchainRoot,
} from "./toolchain-root.ts";

/** Something that happened, for showing progress. */
export interface BuildEvent {
  /** Path of component names, joined by `/`; "" for a recipe that is built by itself. */
  readonly component: string;
  /** `inputs`, `toolchain`, or a step of the recipe; undefined for the component as a whole, when it is there. */
  readonly step: string | undefined;
  readonly state: "start" | "progress" | "done" | "fail" | "cached";
  readonly elapsedMs: number;
  readonly logPath?: string;
  /** How far it has come, e.g. `41 of 101 packages`. */
  readonly detail?: string;
}

/** An artifact: an output, by content. */
export interface Artifact {
  readonly kind: ArtifactKind;
  readonly sha256: string;
  readonly size: number;
}

/** One action that was built or recalled. */
export interface BuiltComponent {
  readonly component: string;
  readonly recipe: LockedBuilding;
  readonly action: PreparedAction;
  readonly outputs: Readonly<Record<string, Artifact>>;
  readonly log: Blob;
  readonly seconds: Readonly<Record<string, number>>;
  readonly buildSize: number;
  readonly cached: boolean;
  /** Limits that the machine enforced on the build as a whole; empty when it was recalled. */
  readonly limited: readonly string[];
}

/** An enclave image that was assembled from parts or recalled. */
export interface BuiltAssembly extends Assembled {
  /** Path of component names and the output's name, joined by `/`. */
  readonly component: string;
  readonly order: AssemblyOrder;
}

/** What a recipe gave. */
export interface BuildResult {
  readonly recipe: LockedRecipe;
  readonly outputs: Readonly<Record<string, Artifact>>;
  /** Every action, components before what composes them; one for a building recipe. */
  readonly components: readonly BuiltComponent[];
  /** Every enclave image that was assembled, its components' before it. */
  readonly assemblies: readonly BuiltAssembly[];
}

/** How to build. Nothing in here may change what comes out. */
export interface BuildOptions {
  readonly store: BuildStore;
  /** Mirrors and how to fetch. */
  readonly inputs?: Omit<FetchOptions, "store" | "recipeFolder" | "signal" | "onProgress">;
  /** Components at once; each may use all processors. */
  readonly jobs?: number;
  readonly executor?: Executor;
  readonly limits?: Partial<BuildLimits>;
  readonly timeoutSeconds?: number;
  /** Build even what was built before. */
  readonly noCache?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: BuildEvent) => void;
}

/** Builds `recipe`; throws BuildError for the first thing that fails, after ending what else is under way. */
export async function buildRecipe(recipe: LockedRecipe, options: BuildOptions): Promise<BuildResult> {
  const places = Array.from({ length: options.jobs ?? availableParallelism() }, (_, place) => place);
  const jobs = new JobSlots([0, ...places.slice(1)]);
  return endTogether(jobs, options.signal, (signal) => build(recipe, "", { ...options, signal }, jobs));
}

function build(
  recipe: LockedRecipe,
  component: string,
  options: BuildOptions,
  jobs: JobSlots<number>,
): Promise<BuildResult> {
  return recipe.form === "building"
    ? jobs.run(() => buildOne(recipe, component, options))
    : buildComposition(recipe, component, options, jobs);
}

async function buildComposition(
  recipe: LockedComposition,
  above: string,
  options: BuildOptions,
  jobs: JobSlots<number>,
): Promise<BuildResult> {
  const names = [...recipe.components.keys()];
  const [built] = await Promise.all([
    Promise.all(
      [...recipe.components].map(([name, component]) => build(component, pathOf(above, name), options, jobs)),
    ),
    jobs.run(() => bringPinned(recipe, above, options)),
  ]);
  const byName = new Map(names.map((name, index) => [name, built[index]]));
  const outputOf = ({ component, output }: { component: string; output: string }): Artifact => {
    const artifact = byName.get(component)?.outputs[output];
    // Loading the recipe has checked that the component has this output.
    if (artifact === undefined) throw new RangeError(`${component}/${output} comes from nowhere`);
    return artifact;
  };
  const outputs: Record<string, Artifact> = {};
  const assemblies: BuiltAssembly[] = [];
  for (const [name, { from, kind }] of Object.entries(recipe.recipe.recipe.outputs)) {
    let artifact: Blob;
    if (from === "cmdline")
      artifact = await options.store.blobs.put(utf8(recipe.recipe.recipe.cmdline ?? ""));
    else if ("component" in from) artifact = outputOf(from);
    else {
      const order = orderAssembly(from.eif, recipe, outputOf);
      const assembly = await jobs.run(() => assembleOne(order, pathOf(above, name), options));
      assemblies.push(assembly);
      artifact = assembly.blob;
    }
    outputs[name] = { kind, sha256: artifact.sha256, size: artifact.size };
  }
  return {
    recipe,
    outputs,
    components: built.flatMap(({ components }) => components),
    assemblies: [...built.flatMap((part) => part.assemblies), ...assemblies],
  };
}

const pathOf = (above: string, name: string): string => (above === "" ? name : `${above}/${name}`);

/** Brings what stands beside a composing recipe or at URLs. */
async function bringPinned(recipe: LockedComposition, above: string, options: BuildOptions): Promise<void> {
  if (recipe.lock.lock.sources.length === 0) return;
  await tell(options, above, "inputs", (progress) =>
    bringParts(recipe, { ...fetchOptions(options, progress), store: options.store.path }),
  );
}

async function assembleOne(
  order: AssemblyOrder,
  component: string,
  options: BuildOptions,
): Promise<BuiltAssembly> {
  options.signal?.throwIfAborted();
  const { store, noCache, signal } = options;
  const start = performance.now();
  const assembled = await assemble(order, {
    store,
    noCache,
    signal,
    during: (step, work) => tell(options, component, step, work),
  });
  const elapsedMs = Math.round(performance.now() - start);
  options.onEvent?.({ component, step: undefined, state: assembled.cached ? "cached" : "done", elapsedMs });
  return { component, order, ...assembled };
}

async function buildOne(
  recipe: LockedBuilding,
  component: string,
  options: BuildOptions,
): Promise<BuildResult> {
  options.signal?.throwIfAborted();
  const start = performance.now();
  const recalled = options.noCache === true ? undefined : await recall(recipe, options);
  const built = recalled ?? (await runAction(recipe, component, options));
  const elapsedMs = Math.round(performance.now() - start);
  options.onEvent?.({ component, step: undefined, state: built.cached ? "cached" : "done", elapsedMs });
  const outputs: Record<string, Artifact> = {};
  for (const [name, { kind }] of Object.entries(recipe.recipe.recipe.outputs)) {
    const blob = built.result.outputs[name];
    if (blob === undefined) throw new RangeError(`the executor left out output ${name}`);
    outputs[name] = { kind, ...blob };
  }
  const { log, seconds, buildSize } = built.result;
  const { action, cached, limited } = built;
  const one = { component, recipe, action, outputs, log, seconds, buildSize, cached, limited };
  return { recipe, outputs, components: [one], assemblies: [] };
}

interface Built {
  readonly action: PreparedAction;
  readonly result: ActionResult;
  readonly cached: boolean;
  readonly limited: readonly string[];
}

/** The remembered result, found without fetching or unpacking anything. */
async function recall(recipe: LockedBuilding, options: BuildOptions): Promise<Built | undefined> {
  const { lock } = recipe.lock;
  const toolchain = await recallToolchainRoot(options.store, lock.packages);
  if (toolchain === undefined) return undefined;
  const action = actionOf(recipe, toolchain, options);
  const result = await findActionResult(options.store, action.digest.hash, Object.keys(action.outputs));
  if (result === undefined) return undefined;
  // A file beside the recipe that was edited since the lock is an error even if the old one was built before.
  const files = lock.sources.filter(({ origin }) => origin.kind === "file");
  await bringInputs({ ...lock, packages: [], sources: files }, recipe, options);
  return { action, result, cached: true, limited: [] };
}

async function runAction(recipe: LockedBuilding, component: string, options: BuildOptions): Promise<Built> {
  const { store } = options;
  const { action, rootOptions } = await prepareBuild(recipe, component, options);
  const known =
    options.noCache === true
      ? undefined
      : await findActionResult(store, action.digest.hash, Object.keys(action.outputs));
  if (known !== undefined) return { action, result: known, cached: true, limited: [] };
  const executor = options.executor ?? new LocalExecutor(store);
  const execution = await executor.execute(action, {
    ...rootOptions,
    packages: recipe.lock.lock.packages,
    label: recipe.recipe.recipe.name,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    onStep: (event) => options.onEvent?.({ component, ...event }),
  });
  await rememberActionResult(store.refs, action.digest.hash, execution);
  return { action, result: execution, cached: false, limited: execution.limited };
}

/** Brings the inputs, opens the toolchain root and makes the action; reports both as steps. */
export async function prepareBuild(
  recipe: LockedBuilding,
  component: string,
  options: BuildOptions,
): Promise<{ action: PreparedAction; rootOptions: RootOptions }> {
  const { lock } = recipe.lock;
  await tell(options, component, "inputs", (progress) => bringInputs(lock, recipe, options, progress));
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const toolchain = await tell(options, component, "toolchain", (progress) =>
    openToolchainRoot(options.store, lock.packages, {
      ...signal,
      onUnpacked: (_, done, total) => progress(`${done} of ${total} packages`),
    }),
  );
  const onDamaged = (path: string): void =>
    options.onEvent?.({
      component,
      step: "toolchain",
      state: "progress",
      elapsedMs: 0,
      detail: `${path} was changed; unpacking again`,
    });
  return { action: actionOf(recipe, toolchain, options), rootOptions: { ...signal, onDamaged } };
}

const actionOf = (
  recipe: LockedBuilding,
  toolchain: ToolchainRoot,
  { timeoutSeconds }: BuildOptions,
): PreparedAction => prepareAction(recipe.recipe.recipe, recipe.lock.lock, toolchain, timeoutSeconds);

async function bringInputs(
  lock: BuildingLock,
  recipe: LockedBuilding,
  options: BuildOptions,
  progress?: (detail: string) => void,
): Promise<void> {
  await fetchInputs(lock, {
    ...fetchOptions(options, progress),
    store: options.store.path,
    recipeFolder: dirname(recipe.recipe.path),
  });
}

function fetchOptions(
  { inputs, signal }: BuildOptions,
  progress: ((detail: string) => void) | undefined,
): Omit<FetchOptions, "store"> {
  return {
    ...inputs,
    ...(signal === undefined ? {} : { signal }),
    onProgress: ({ inputs: { done, total }, state }) =>
      state === "fetching" ? undefined : progress?.(`${done} of ${total} inputs`),
  };
}

/** Does `work` as a step of a component, and tells of its start, progress and end. */
export async function tell<T>(
  { onEvent }: BuildOptions,
  component: string,
  step: string,
  work: (progress: (detail: string) => void) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const say = (state: BuildEvent["state"], detail?: string): void =>
    onEvent?.({
      component,
      step,
      state,
      elapsedMs: Math.round(performance.now() - started),
      ...(detail === undefined ? {} : { detail }),
    });
  say("start");
  try {
    const result = await work((detail) => say("progress", detail));
    say("done");
    return result;
  } catch (cause) {
    say("fail");
    throw cause;
  }
}
