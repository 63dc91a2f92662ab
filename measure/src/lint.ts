/**
 * @bootproof/measure/lint: everything that is wrong with a firmware image, and what each VMM would do with it.
 * @module
 */
export {
  type FirmwareLaunches,
  type FirmwareLint,
  type KernelHashesLint,
  type LaunchVerdict,
  lintFirmware,
  type LintFinding,
  type LintSeverity,
  type SectionRow,
} from "./snp/lint-firmware.ts";
export { type FirmwareLintCode, LINT_RULES } from "./snp/lint-rules.ts";
