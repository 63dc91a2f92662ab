/**
 * Pages of reading enclave image files (EIF) of any size, and of writing them: BP-EIF-050 to 069.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-EIF from 050 on. */
export const EIF_FILE_PAGES: Pages = {
  "BP-EIF-050": {
    title: "a file that changed while it was read",
    exit: EXIT.malformed,
    why: "Its size or time of change is not what it was at the start. Digests of bytes from before and after are of no file that ever was.",
    fix: "Wait until whatever writes the file has finished, then run the command again.",
  },
  "BP-EIF-051": {
    title: "an input that cannot be read at several places",
    exit: EXIT.noInput,
    why: "Images are read by two threads at once, each at its own place. A pipe or a device gives every byte once.",
    fix: "Save it to a file first: gunzip -c initrd.gz > initrd",
  },
};
