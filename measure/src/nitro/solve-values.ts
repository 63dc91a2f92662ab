/**
 * Registers whose value follows from one text or certificate: what they may have been made from instead.
 * @module
 */
import { concatBytes, formatHex, sha384, utf8 } from "@bootproof/bytes";
import { instanceOfModule } from "./parent.ts";
import { pcrOf } from "./pcr.ts";

/** A value and how one comes by it. */
export interface ValueForm {
  readonly what: string;
  readonly value: string;
  /** No machine reports it: a tool's or a person's mistake. */
  readonly mistake?: boolean;
}

/** PCR3 of a role, and what people take for it. */
export function roleForms(arn: string): ValueForm[] {
  const session = /^arn:([\w-]+):sts::([0-9]{12}):assumed-role\/([^/]+)\//.exec(arn);
  const [, partition = "", account = "", role = ""] = session ?? [];
  const ofRole =
    session === null
      ? []
      : [extended("the role of this session", `arn:${partition}:iam::${account}:role/${role}`)];
  const name = /^arn:([\w-]+):iam::([0-9]{12}):instance-profile\/(?:.*\/)?([^/]+)$/.exec(arn);
  const [, ofPartition = "", ofAccount = "", profile = ""] = name ?? [];
  const ofProfile =
    name === null
      ? []
      : [
          extended(
            "the role that has the name of this instance profile",
            `arn:${ofPartition}:iam::${ofAccount}:role/${profile}`,
          ),
        ];
  return [...textForms("IAM role", arn), ...ofRole, ...ofProfile];
}

/** PCR4 of an instance, and what people take for it. */
export function instanceForms(id: string): ValueForm[] {
  const instance = instanceOfModule(id);
  const ofEnclave = instance === undefined ? [] : [extended("the instance of this enclave", instance)];
  return [...textForms("instance ID", id), ...ofEnclave];
}

const extended = (what: string, text: string): ValueForm => ({ what, value: formatHex(pcrOf(utf8(text))) });

function textForms(what: string, text: string): ValueForm[] {
  const bytes = utf8(text);
  return [
    { what: `the ${what}`, value: formatHex(pcrOf(bytes)) },
    {
      what: `the ${what} with a newline after it`,
      value: formatHex(pcrOf(concatBytes(bytes, utf8("\n")))),
      mistake: true,
    },
    {
      what: `the ${what}, hashed before it is extended`,
      value: formatHex(pcrOf(sha384(bytes))),
      mistake: true,
    },
    { what: `the hash of the ${what}, not extended`, value: formatHex(sha384(bytes)), mistake: true },
  ];
}

/** PCR8 of the first of several certificates, and what people take for it. */
export function certificateForms(
  certificates: readonly Uint8Array[],
  pem: Uint8Array | undefined,
): ValueForm[] {
  const forms = certificates.flatMap((der, index): ValueForm[] => {
    const name = index === 0 ? "the certificate" : `certificate ${index + 1} of the PEM`;
    return [
      { what: name, value: formatHex(pcrOf(sha384(der))) },
      {
        what: `the fingerprint (SHA-384) of ${name}, not extended`,
        value: formatHex(sha384(der)),
        mistake: true,
      },
      { what: `${name}, not hashed before it is extended`, value: formatHex(pcrOf(der)), mistake: true },
    ];
  });
  const text: ValueForm[] =
    pem === undefined
      ? []
      : [
          {
            what: "the PEM text in place of the certificate's DER",
            value: formatHex(pcrOf(sha384(pem))),
            mistake: true,
          },
          { what: "the hash of the PEM text, not extended", value: formatHex(sha384(pem)), mistake: true },
        ];
  return [...forms, ...text];
}
