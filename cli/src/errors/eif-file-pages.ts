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
  "BP-EIF-060": {
    title: "sections that make no EIF",
    exit: EXIT.malformed,
    why: "An EIF has one kernel, one command line, one metadata section, at least one ramdisk and at most one signature; none but the command line may be empty, and there are places for 32 in all.",
    fix: "Give what is missing, or join ramdisks: a kernel unpacks archives that stand one behind the other.",
  },
  "BP-EIF-061": {
    title: "a part that changed while an EIF was made of it",
    exit: EXIT.malformed,
    why: "A kernel or ramdisk has another size or time of change than when it was opened. The image that was being written is gone; one that was there before is as it was.",
    fix: "Wait until whatever writes the part has finished, then run the command again.",
  },
  "BP-EIF-062": {
    title: "a part of an EIF that is no file",
    exit: EXIT.noInput,
    why: "Headers stand before the parts and need their sizes, and a pipe or a device has none.",
    fix: "Save it to a file first: gunzip -c initrd.gz > initrd",
  },
};
