/**
 * The URIs that name our types. They identify; nothing is ever fetched from them.
 * @module
 */

/** in-toto Statement v1. */
export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
/** Media type of a DSSE payload that is an in-toto statement. */
export const IN_TOTO_PAYLOAD_TYPE = "application/vnd.in-toto+json";
/** A release, how it was built, and what machines will report after booting it. */
export const BOOT_MEASUREMENT_TYPE = "https://bootproof.dev/boot-measurement/v1";
/** What came out when somebody built a release again. */
export const REBUILD_TYPE = "https://bootproof.dev/rebuild/v1";
/** A log goes on where another one ended. */
export const LOG_CONTINUATION_TYPE = "https://bootproof.dev/log-continuation/v1";
/** SLSA provenance v1. */
export const PROVENANCE_TYPE = "https://slsa.dev/provenance/v1";
/** SLSA buildType of a recipe built from its lock. */
export const RECIPE_BUILD_TYPE = "https://bootproof.dev/recipe-build/v1";
