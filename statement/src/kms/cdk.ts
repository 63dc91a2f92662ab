/**
 * A policy for the AWS CDK (aws-cdk-lib version 2) in TypeScript: PolicyStatement is given what its constructor takes.
 * @module
 */
import type { MadePolicy, MadeStatement } from "./make-policy.ts";

/** A TypeScript module that exports the policy as a PolicyDocument. */
export function formatCdk(policy: MadePolicy): string {
  const statements = policy.Statement.map(formatStatement).join("");
  return (
    `import * as iam from "aws-cdk-lib/aws-iam";\n\n` +
    `// new kms.Key(this, "EnclaveKey", { policy: enclaveKeyPolicy() })\n` +
    `export function enclaveKeyPolicy(): iam.PolicyDocument {\n` +
    `  return new iam.PolicyDocument({\n    statements: [\n${statements}    ],\n  });\n}\n`
  );
}

function formatStatement({ Sid, Principal, Action, Resource, Condition }: MadeStatement): string {
  const text = (value: string): string => JSON.stringify(value);
  const conditions = Object.entries(Condition?.StringEqualsIgnoreCase ?? {})
    .map(([key, value]) => `            ${text(key)}:\n              ${text(value)},\n`)
    .join("");
  return (
    `      new iam.PolicyStatement({\n        sid: ${text(Sid)},\n        effect: iam.Effect.ALLOW,\n` +
    `        principals: [new iam.ArnPrincipal(${text(Principal.AWS)})],\n` +
    `        actions: [${Action.map(text).join(", ")}],\n        resources: [${text(Resource)}],\n` +
    (conditions === ""
      ? ""
      : `        conditions: {\n          StringEqualsIgnoreCase: {\n${conditions}          },\n        },\n`) +
    `      }),\n`
  );
}
