/**
 * Every error code of bootproof and its page; the only place where codes get an exit status.
 * @module
 */
import { ADMISSION_PAGES } from "./admission-pages.ts";
import { BUILD_PAGES } from "./build-pages.ts";
import { EIF_COMMAND_PAGES } from "./eif-command-pages.ts";
import { EIF_FILE_PAGES } from "./eif-file-pages.ts";
import { EIF_PAGES } from "./eif-pages.ts";
import { ENCLAVE_PAGES } from "./enclave-pages.ts";
import { EXECUTION_PAGES } from "./execution-pages.ts";
import { EXPLAIN_PAGES } from "./explain-pages.ts";
import { FRAME_PAGES } from "./frame-pages.ts";
import { ID_BLOCK_PAGES } from "./id-block-pages.ts";
import { IGVM_PAGES } from "./igvm-pages.ts";
import { IMAGE_PAGES } from "./image-pages.ts";
import { KMS_PAGES } from "./kms-pages.ts";
import type { Pages } from "./page.ts";
import { LINT_PAGES } from "./lint-pages.ts";
import { LOG_CLIENT_PAGES } from "./log-client-pages.ts";
import { LOG_PLACE_PAGES } from "./log-place-pages.ts";
import { LOG_PAGES } from "./log-pages.ts";
import { MACHINE_PAGES } from "./machine-pages.ts";
import { MEASURE_PAGES } from "./measure-pages.ts";
import { NITRO_PAGES } from "./nitro-pages.ts";
import { PARSE_PAGES } from "./parse-pages.ts";
import { QOS_PAGES } from "./qos-pages.ts";
import { RELEASE_PAGES } from "./release-pages.ts";
import { SIGN_PAGES } from "./sign-pages.ts";
import { SERVE_PAGES } from "./serve-pages.ts";
import { SOLVE_PAGES } from "./solve-pages.ts";
import { STORE_PAGES } from "./store-pages.ts";
import { WATCH_PAGES } from "./watch-pages.ts";

/** The pages of all codes. */
export const PAGES: Pages = {
  ...FRAME_PAGES,
  ...PARSE_PAGES,
  ...STORE_PAGES,
  ...BUILD_PAGES,
  ...EIF_COMMAND_PAGES,
  ...EIF_FILE_PAGES,
  ...EXECUTION_PAGES,
  ...MEASURE_PAGES,
  ...EXPLAIN_PAGES,
  ...SOLVE_PAGES,
  ...MACHINE_PAGES,
  ...ID_BLOCK_PAGES,
  ...KMS_PAGES,
  ...LINT_PAGES,
  ...IGVM_PAGES,
  ...ENCLAVE_PAGES,
  ...IMAGE_PAGES,
  ...NITRO_PAGES,
  ...EIF_PAGES,
  ...LOG_PAGES,
  ...ADMISSION_PAGES,
  ...LOG_CLIENT_PAGES,
  ...LOG_PLACE_PAGES,
  ...QOS_PAGES,
  ...RELEASE_PAGES,
  ...SERVE_PAGES,
  ...SIGN_PAGES,
  ...WATCH_PAGES,
};
