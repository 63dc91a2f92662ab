/**
 * Times as people write them: `30s`, `15m`, `24h`, `7d`.
 * @module
 */
import { yamlText } from "@bootproof/builder";
import * as v from "valibot";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const DURATION = /^[1-9][0-9]{0,5}[smhd]$/;

/** A time, read as seconds. */
export const duration: v.GenericSchema<unknown, number> = v.pipe(
  yamlText(DURATION, "a time such as 30s, 15m, 24h or 7d"),
  v.transform((text) => Number(text.slice(0, -1)) * (SECONDS[text.slice(-1)] ?? Number.NaN)),
);
