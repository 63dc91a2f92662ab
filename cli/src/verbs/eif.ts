/**
 * `bootproof eif`: writes enclave image files of Nitro Enclaves, signs them, and judges their signatures.
 * @module
 */
import { Option, type Command } from "commander";

import { collect, type Frame } from "../frame/frame.ts";

const BUILD = `
The same inputs make the same bytes: the build time is 1970 unless --build-time says another, and signatures are
deterministic (RFC 6979). Ramdisks stand in the file as they are given, then those of --image and --folder. The first
one is the bootstrap (PCR1), the others are the application (PCR2).
--image takes an OCI layout (a folder or a tar) or what docker save wrote, and needs no daemon.

With --compare the file written is compared with another one. Exit status: 0 IDENTICAL, or MEASUREMENT-EQUAL: every
section that a PCR sees is equal, and metadata, signature or header differ; 1 DIVERGED, with the first section that differs.

Example:
  bootproof eif build --kernel bzImage --cmdline 'reboot=k panic=30 pci=off console=ttyS0' \\
    --ramdisk init.cpio --image hello.oci.tar --out hello.eif`;

const PAYLOAD = `
What is signed is PCR0 in a COSE structure; its bytes depend on the curve of the key too. --out writes exactly the bytes
to sign, as openssl dgst -sign and key services (message type RAW) take them; the digest is for those that take digests.

Example:
  bootproof eif payload app.eif --certificate signer.pem --out to-sign.bin
  openssl dgst -sha384 -sign key.pem -out signature.der to-sign.bin      (or the key's device)
  bootproof eif sign app.eif --certificate signer.pem --signature signature.der --out signed.eif`;

const SIGN = `
A signature that is there already is replaced; every other section keeps its bytes, and so PCR0, PCR1 and PCR2 stay.
PCR8 is of the first certificate in the file; nobody checks a chain.
--signing-key names a private key and never holds it: a PEM file, env:NAME, or command:FILE, a JSON file that names a
program: {"schema": "bootproof/signer/1", "command": ["/usr/bin/sign"], "timeoutSeconds": 10}. The program gets the bytes
to sign on its standard input and prints the signature: DER, or r and s; binary, base64 or hex.

Examples:
  bootproof eif sign app.eif --certificate signer.pem --signing-key key.pem --out signed.eif
  bootproof eif sign app.eif --certificate signer.pem --signature signature.der --out signed.eif`;

const VERIFY = `
The signature is judged over what this image's own PCR0 says should have been signed, which AWS's run-enclave does not do.
Whose certificate it is is another question: without --certificate the file's own is shown, and PCR8 names it.

Example:
  bootproof eif verify signed.eif --certificate signer.pem`;

/** Defines `eif build`, `payload`, `sign` and `verify`. */
export function defineEif(parent: Command, frame: Frame): void {
  const group = parent
    .command("eif")
    .helpCommand(false)
    .description("write enclave image files (Nitro Enclaves), sign them, judge their signatures");
  defineBuild(group, frame);
  frame
    .verb(
      group,
      "payload <file>",
      "say what has to be signed, for a key that is elsewhere",
      async (context, given) => (await import("../work/eif-payload.ts")).eifPayload(context, given),
    )
    .option("--certificate <file>", "PEM of the certificate that will sign")
    .option("--curve <name>", "instead of a certificate: P-256, P-384 or P-521")
    .addHelpText("after", PAYLOAD);
  hide(
    frame
      .verb(
        group,
        "sign <file>",
        "sign an image, or put a signature made elsewhere into it",
        async (context, given) => (await import("../work/eif-sign.ts")).eifSign(context, given),
      )
      .option(...CERTIFICATE)
      .option(...SIGNING_KEY)
      .option("--signature <file>", "the signature made elsewhere: DER, or r and s")
      .addHelpText("after", SIGN),
  );
  frame
    .verb(
      group,
      "verify <file>",
      "judge the signature of an image offline, a line a check",
      async (context, given) => (await import("../work/eif-verify.ts")).eifVerify(context, given),
    )
    .option("--certificate <file>", "the expected certificate")
    .option("--at <time>", "judge the certificate's dates at this time, such as 2026-01-31T12:00:00Z")
    .addHelpText("after", VERIFY);
}

const CERTIFICATE = ["--certificate <file>", "PEM of the certificate that signs"] as const;
const SIGNING_KEY = ["--signing-key <key>", "its private key: a PEM file, env:NAME or command:FILE"] as const;

function defineBuild(group: Command, frame: Frame): void {
  const build = frame
    .verb(
      group,
      "build",
      "write an image from a kernel, a command line and ramdisks",
      async (context, given) => (await import("../work/eif-build.ts")).eifBuild(context, given),
    )
    .option("--kernel <file>", "the kernel: a bzImage, or an arm64 Image")
    .option("--cmdline <text>", "the command line")
    .option("--cmdline-file <file>", "the command line, every byte of the file")
    .option("--ramdisk <file>", "a ramdisk; repeated, in order", collect)
    .option("--image <path>", "an OCI layout or docker save tar: becomes a ramdisk")
    .option("--digest <digest>", "the digest of the image that is meant")
    .option("--folder <dir>", "a root folder: becomes a ramdisk; --cmd says what runs in it")
    .option("--cmd <word>", "of --folder: the program, then its arguments; repeated", collect)
    .option("--env <name=value>", "of --folder or --image: a variable of the program; repeated", collect)
    .option("--arch <name>", "x86_64 (default) or aarch64")
    .option("--name <text>", "name in the metadata (default: enclave)")
    .option("--image-version <text>", "version in the metadata (default: 1)")
    .option("--build-time <time>", "time in the metadata, such as 2026-01-31T12:00:00Z (default: 1970)")
    .option("--kernel-config <file>", "the kernel's .config: operating system and version in the metadata")
    .option("--metadata <file>", "JSON for the metadata's CustomMetadata, at most 4096 bytes")
    .option(...CERTIFICATE)
    .option(...SIGNING_KEY)
    .option("--compare <file>", "compare with this EIF: IDENTICAL, MEASUREMENT-EQUAL or DIVERGED")
    .addHelpText("after", BUILD);
  hide(build);
}

/** The names that nitro-cli and eif_build have for the same. */
function hide(command: Command): void {
  for (const flag of ["--signing-certificate <file>", "--private-key <key>"])
    command.addOption(new Option(flag).hideHelp());
}
