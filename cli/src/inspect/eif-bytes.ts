/**
 * Looks at an EIF that came through a pipe: it is read at several places, so it has to be a file.
 * @module
 */
import { startsEif } from "@bootproof/boot/eif";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { Inspector } from "./inspection.ts";

/** Refuses an EIF that is no file; files are looked at before anything is read whole. */
export const inspectEifBytes: Inspector = (bytes, file) => {
  if (!startsEif(bytes)) return undefined;
  throw new Failure("BP-EIF-051", EXIT.noInput, "cannot be read at several places, as is needed here", {
    file,
    expected: "a file",
    found: "a pipe",
    hint: "save it to a file first",
  });
};
