/**
 * @bootproof/measure/sev: launch digests of AMD SEV and SEV-ES guests.
 * @module
 */
export {
  type JudgedSevEsShape,
  measureSev,
  measureSevEs,
  resolveSevEs,
  type SevInputs,
  type SevShape,
  type SevShapeJson,
} from "./measure-sev.ts";
export {
  extendSevLaunchDigest,
  SEV_LAUNCH_DIGEST,
  SEV_START,
  type SevEvent,
  type SevEventType,
} from "./sev-event.ts";
export { prepareSev, prepareSevEs, SevEsLaunch, SevLaunch } from "./sev-launch.ts";
