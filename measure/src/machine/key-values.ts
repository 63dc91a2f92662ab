/**
 * QEMU's `key=value,key=value` arguments. Keyval (-machine, -object, -smp, -blockdev) and the older QemuOpts (-drive)
 * write a comma as two; the first part may leave its key out; QemuOpts also knows `flag` and `noflag`.
 * @module
 */
import { MeasureError } from "../measure-error.ts";

/** Properties by name; a later value of one name replaces an earlier, as in QEMU. */
export type Properties = ReadonlyMap<string, string>;

/** Far more properties than any option of QEMU's has. */
const MAX_PROPERTIES = 512;

/** Splits a keyval argument; throws {@link MeasureError} BP-MACHINE-003. */
export function parseKeyval(argument: string, option: string, impliedKey: string): Properties {
  // The value of the implied key ends at the first comma: there two commas are an empty name.
  const implied = /^[^=,]+(?=,|$)/.exec(argument)?.[0];
  const start = new Map(implied === undefined ? [] : [[impliedKey, implied]]);
  return split(
    implied === undefined ? argument : argument.slice(implied.length + 1),
    option,
    start,
    (key) => {
      throw new MeasureError("BP-MACHINE-003", `-${option} has a part without a value`, {
        expected: `${key}=VALUE`,
        found: key,
      });
    },
  );
}

/** Splits a QemuOpts argument. */
export function parseQemuOpts(argument: string, option: string): Properties {
  return split(argument, option, new Map(), (key) =>
    key.startsWith("no") ? [key.slice(2), "off"] : [key, "on"],
  );
}

function split(
  argument: string,
  option: string,
  properties: Map<string, string>,
  bare: (key: string) => [string, string],
): Properties {
  let rest = argument;
  while (rest !== "") {
    const key = /^[^=,]*/.exec(rest)?.[0] ?? "";
    if (key === "") throw badKey(option, rest);
    if (rest.charAt(key.length) === "=") {
      const raw = /^(?:[^,]|,,)*/.exec(rest.slice(key.length + 1))?.[0] ?? "";
      properties.set(key, raw.replaceAll(",,", ","));
      rest = rest.slice(key.length + raw.length + 2);
    } else {
      properties.set(...bare(key));
      rest = rest.slice(key.length + 1);
    }
    if (properties.size > MAX_PROPERTIES)
      throw new MeasureError("BP-MACHINE-003", `-${option} has too many properties`, {
        expected: `at most ${MAX_PROPERTIES}`,
      });
  }
  return properties;
}

function badKey(option: string, found: string): MeasureError {
  return new MeasureError("BP-MACHINE-003", `-${option} has a part without a name`, {
    expected: "KEY=VALUE",
    found: found.slice(0, 40),
  });
}
