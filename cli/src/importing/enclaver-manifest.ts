/**
 * Enclaver's manifest (enclaver.yaml): what enclaver-io/enclaver, enclaver/src/manifest.rs, reads, with the names that
 * its parts had before (supervisor and wrapper for odyn and sleeve).
 * @module
 */
import { readYamlAs, strictKeys, yamlText, yamlWord } from "@bootproof/builder";
import * as v from "valibot";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";

/** What an enclaver.yaml says. */
export interface EnclaverManifest {
  readonly version: "v1";
  readonly name: string;
  readonly target: string;
  readonly sources: {
    readonly app: string;
    readonly odyn?: string | undefined;
    readonly sleeve?: string | undefined;
    readonly supervisor?: string | undefined;
    readonly wrapper?: string | undefined;
  };
  readonly signature?: { readonly certificate: string; readonly key: string } | undefined;
  readonly ingress?:
    readonly { readonly listen_port: number; readonly tls?: object | undefined }[] | undefined;
  readonly egress?:
    | {
        readonly proxy_port?: number | undefined;
        readonly allow?: readonly string[] | undefined;
        readonly deny?: readonly string[] | undefined;
      }
    | undefined;
  readonly defaults?:
    { readonly cpu_count?: number | undefined; readonly memory_mb?: number | undefined } | undefined;
  readonly kms_proxy?: { readonly listen_port: number } | undefined;
  readonly api?: { readonly listen_port: number } | undefined;
  readonly spire?: { readonly server_addr: string } | undefined;
}

const line = yamlText(/^[^\0\n\r]{1,4096}$/u, "text of one line");
const port = v.pipe(
  v.number("expected a port"),
  v.check((value) => Number.isInteger(value) && value >= 0 && value <= 65_535, "expected a port"),
);
const count = v.pipe(v.number("expected a number"), v.integer("expected a whole number"));
const list = <T>(item: v.GenericSchema<unknown, T>) =>
  v.pipe(v.array(item, "expected a list"), v.maxLength(1000, "expected at most 1000 entries"));

const manifestSchema: v.GenericSchema<unknown, EnclaverManifest> = strictKeys({
  version: yamlWord(["v1"]),
  name: line,
  target: line,
  sources: strictKeys({
    app: line,
    odyn: v.optional(line),
    sleeve: v.optional(line),
    supervisor: v.optional(line),
    wrapper: v.optional(line),
  }),
  signature: v.optional(strictKeys({ certificate: line, key: line })),
  ingress: v.optional(
    list(strictKeys({ listen_port: port, tls: v.optional(strictKeys({ key_file: line, cert_file: line })) })),
  ),
  egress: v.optional(
    strictKeys({
      proxy_port: v.optional(port),
      allow: v.optional(list(line)),
      deny: v.optional(list(line)),
    }),
  ),
  defaults: v.optional(strictKeys({ cpu_count: v.optional(count), memory_mb: v.optional(count) })),
  kms_proxy: v.optional(
    strictKeys({
      listen_port: port,
      endpoints: v.optional(v.record(line, line, "expected a mapping")),
    }),
  ),
  api: v.optional(strictKeys({ listen_port: port })),
  spire: v.optional(
    strictKeys({
      server_addr: line,
      ca_cert: line,
      trust_domain: line,
      svid_dir: line,
      workload_api_addr: v.optional(line),
    }),
  ),
});

/** Reads an enclaver.yaml; throws a failure BP-ENCLAVE-002 with a line for each problem. */
export function parseEnclaverManifest(text: string, file: string): EnclaverManifest {
  const reading = readYamlAs(manifestSchema, text, file);
  if (reading.ok) return reading.value;
  throw new Failure("BP-ENCLAVE-002", EXIT.malformed, reading.issues.join("\n"), {
    file,
    issues: reading.issues,
    hint: "the keys are those that enclaver itself accepts; `sources.app` is the only source that is needed",
  });
}
