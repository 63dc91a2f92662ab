/**
 * Pages of releases, policies and rebuilds.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-RELEASE, BP-POLICY and BP-REBUILD. */
export const RELEASE_PAGES: Pages = {
  "BP-RELEASE-001": {
    title: "the recipe's platforms cannot be measured",
    exit: EXIT.badConfig,
    why: "A platform is unknown, lacks a shape, or needs an artifact that the recipe does not have just once.",
    fix: "Correct `platforms` or the kinds of `outputs` in the recipe.",
  },
  "BP-RELEASE-002": {
    title: "the bundle that was written does not verify",
    exit: EXIT.no,
    why: "What was read back from disk is not what was signed and logged: another process wrote there, or the disk fails.",
    fix: "Run again; if it stays: bootproof log audit --log DIR",
  },
  "BP-RELEASE-003": {
    title: "the signature of an enclave image does not hold",
    exit: EXIT.badConfig,
    why: "The signature is of another image or by another key, so no host starts the image and no enclave reports its registers.",
    fix: "Sign it again with bootproof eif sign; bootproof eif verify IMAGE shows each check.",
  },
  "BP-POLICY-001": {
    title: "the policy cannot be read",
    exit: EXIT.badConfig,
    why: "The file is not YAML, or a rule is absent or unknown; the message has line and column. Nothing is unchecked by omission.",
    fix: 'Correct the line; where you do not care, write "any".',
  },
  "BP-REBUILD-001": {
    title: "the bundle is no release",
    exit: EXIT.malformed,
    why: "Only a bundle with a boot measurement says what was built and how.",
    fix: "bootproof inspect BUNDLE says what it is.",
  },
  "BP-REBUILD-002": {
    title: "the same recipe and lock give another action here",
    exit: EXIT.undecided,
    why: "This version of bootproof makes another action from them than the publisher's did, so a difference would prove nothing.",
    fix: "Use the publisher's version of bootproof; bootproof inspect BUNDLE shows it as predictor.",
  },
};
