/**
 * QEMU's arguments, merged as QEMU merges them: machine properties by name, objects and block nodes by id.
 * @module
 */
import { MeasureError } from "../measure-error.ts";
import { parseKeyval, parseQemuOpts, type Properties } from "./key-values.ts";
import { isJson, parseJsonProperties } from "./qemu-json.ts";
import { optionName, takesArgument } from "./qemu-options.ts";
import type { Word } from "./words.ts";

/** One -object. */
export interface QemuObject {
  readonly type: string;
  readonly id: string;
  readonly properties: Properties;
}

/** An option with its argument, as written. */
export interface WrittenOption {
  readonly name: string;
  readonly argument: string;
}

/** What a launch digest may depend on, merged. */
export interface QemuConfiguration {
  /** -machine, and what other options set on the machine: kernel, initrd, append, dtb, shim, firmware, smp.cpus ... */
  readonly machine: Properties;
  readonly objects: readonly QemuObject[];
  /** Arguments of -drive and -pflash that are flash. */
  readonly flashDrives: readonly Properties[];
  /** -blockdev by node name. */
  readonly nodes: ReadonlyMap<string, Properties>;
  readonly cpu: string | undefined;
  readonly accelerators: readonly string[];
  /** Options by which something else than this command line decides. */
  readonly outside: readonly WrittenOption[];
  readonly unknownOptions: readonly string[];
  /** Words that belong to no option, each with the option before it. */
  readonly strays: readonly { readonly word: string; readonly after: string | undefined }[];
}

/** Merges QEMU's arguments; throws {@link MeasureError} BP-MACHINE-003. */
export function readConfiguration(words: readonly Word[]): QemuConfiguration {
  const merger = new Merger();
  for (let index = 0; index < words.length;)
    index += merger.take(words[index]?.text ?? "", words[index + 1]?.text);
  return merger;
}

/** Options whose argument is one property of the machine. */
const MACHINE_PROPERTY: Readonly<Record<string, string>> = {
  kernel: "kernel",
  initrd: "initrd",
  append: "append",
  dtb: "dtb",
  shim: "shim",
  bios: "firmware",
};

/** Options that take a machine's definition or state from elsewhere. */
const OUTSIDE = new Set(["readconfig", "set", "incoming", "loadvm"]);

class Merger implements QemuConfiguration {
  readonly machine = new Map<string, string>();
  readonly objects: QemuObject[] = [];
  readonly flashDrives: Properties[] = [];
  readonly nodes = new Map<string, Properties>();
  readonly accelerators: string[] = [];
  readonly outside: WrittenOption[] = [];
  readonly unknownOptions: string[] = [];
  readonly strays: { word: string; after: string | undefined }[] = [];
  cpu: string | undefined;
  #last: string | undefined;

  /** Takes one word, with its argument if it is an option that has one; returns how many words that were. */
  take(word: string, next: string | undefined): number {
    const name = optionName(word);
    if (name === undefined) {
      this.strays.push({ word, after: this.#last });
      return 1;
    }
    this.#last = name;
    const known = takesArgument(name);
    if (known === undefined) this.unknownOptions.push(name);
    if (name === "enable-kvm") this.accelerators.push("kvm");
    if (known === false) return 1;
    // An option of another build than we know: most have an argument, and arguments begin with no dash.
    if (known === undefined) return next === undefined || next.startsWith("-") ? 1 : 2;
    if (next === undefined)
      throw new MeasureError("BP-MACHINE-003", `-${name} has no argument`, { expected: `-${name} ARGUMENT` });
    this.#option(name, next);
    return 2;
  }

  #option(name: string, argument: string): void {
    const property = Object.hasOwn(MACHINE_PROPERTY, name) ? MACHINE_PROPERTY[name] : undefined;
    if (property !== undefined) this.machine.set(property, argument);
    else if (name === "machine" || name === "M") this.#machine(parseKeyval(argument, name, "type"), "");
    else if (name === "smp") this.#machine(parseKeyval(argument, name, "cpus"), "smp.");
    else if (name === "cpu") this.cpu = argument;
    else if (name === "accel") this.#accelerator(parseKeyval(argument, name, "accel").get("accel"));
    else if (name === "object") this.#object(readProperties(argument, name, "qom-type"));
    else if (name === "blockdev") this.#node(readProperties(argument, name, "driver"));
    else if (name === "drive") this.#drive(parseQemuOpts(argument, name));
    else if (name === "pflash") this.flashDrives.push(new Map([["file", argument]]));
    else if (OUTSIDE.has(name) || isCpuFromOutside(name, argument)) this.outside.push({ name, argument });
  }

  #machine(properties: Properties, prefix: string): void {
    for (const [key, value] of properties) {
      this.machine.set(prefix + key, value);
      if (prefix === "" && key === "accel") this.#accelerator(value);
    }
  }

  #accelerator(names: string | undefined): void {
    this.accelerators.push(...(names ?? "").split(":").filter((name) => name !== ""));
  }

  #object(properties: Properties): void {
    const type = properties.get("qom-type") ?? "";
    const id = properties.get("id") ?? "";
    if (id !== "" && this.objects.some((object) => object.id === id))
      throw new MeasureError("BP-MACHINE-003", "two objects have one id", { found: id });
    this.objects.push({ type, id, properties });
  }

  #node(properties: Properties): void {
    const name = properties.get("node-name");
    if (name !== undefined) this.nodes.set(name, properties);
  }

  #drive(properties: Properties): void {
    if (properties.get("if") === "pflash") this.flashDrives.push(properties);
  }
}

const readProperties = (argument: string, option: string, impliedKey: string): Properties =>
  isJson(argument) ? parseJsonProperties(argument, option) : parseKeyval(argument, option, impliedKey);

/** -global on a CPU's signature, and -device with one more CPU. */
function isCpuFromOutside(name: string, argument: string): boolean {
  if (name === "global")
    return /-cpu\.(?:family|model|stepping)=|property=(?:family|model|stepping)\b/.test(argument);
  return (
    name === "device" &&
    /^(?:driver=)?[^,]*-(?:x86_64|i386)-cpu(?:,|$)|"driver"\s*:\s*"[^"]*-cpu"/.test(argument)
  );
}
