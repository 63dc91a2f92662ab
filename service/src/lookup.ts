/**
 * @bootproof/service/lookup: an index of what a log's entries hold, made from the log alone.
 * @module
 */
export {
  LookupIndex,
  scan,
  type LookupMatch,
  type LookupPage,
  type LookupRange,
} from "./lookup/lookup-index.ts";
export { verifyIndex, type IndexFault, type IndexReport } from "./lookup/verify-index.ts";
