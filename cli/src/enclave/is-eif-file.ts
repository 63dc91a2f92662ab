/**
 * Recognises EIFs, which have any size, before anything is read whole. Apart from what reads them: most files are none.
 * @module
 */
import { isRegularFile, readHead } from "../frame/files.ts";
import { startsWith } from "../inspect/inspection.ts";

/** Whether a path leads to a file that starts as an EIF does. */
export const isEifFile = async (path: string): Promise<boolean> =>
  (await isRegularFile(path)) && startsWith(await readHead(path, 4), ".eif");
