/**
 * Pages of explaining.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-EXPLAIN. */
export const EXPLAIN_PAGES: Pages = {
  "BP-EXPLAIN-001": {
    title: "a file that cannot be compared",
    exit: EXIT.malformed,
    why: "explain compares firmware images, IGVM files, enclave images, measurements, traces, references and bundles, and the file is none of them.",
    fix: "bootproof measure snp --trace --json writes what can be compared; bootproof inspect FILE says what a file is.",
  },
  "BP-EXPLAIN-002": {
    title: "a measurement that does not say how to measure an image",
    exit: EXIT.undecided,
    why: "To compare an image with a measurement, the image is measured with its shape and its kernel; the measurement names no shape, or its files are gone.",
    fix: "Give the shape, and the direct boot if there is one: --vcpus, --vcpu-type, --kernel, --initrd, --append.",
  },
  "BP-EXPLAIN-003": {
    title: "one side is of many shapes, the other of one",
    exit: EXIT.undecided,
    why: "A compact reference and a release's bundle predict every shape of a guest, a measurement has one.",
    fix: "Compare two of a kind; bootproof lookup DIGEST finds the release that a digest is of.",
  },
};
