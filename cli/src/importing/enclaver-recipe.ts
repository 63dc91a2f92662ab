/**
 * A recipe for what an enclaver.yaml describes. The application's image and its name carry over; enclaver's own
 * programs, which stand between the application and the network, do not.
 * @module
 */
import { shellWord } from "../frame/typed.ts";
import type { EnclaverManifest } from "./enclaver-manifest.ts";
import type { ImportedRecipe, ImportWarning } from "./import-warning.ts";
import { enclaveRecipe } from "./enclave-text.ts";

/** What the recipe needs that the manifest does not say. */
export interface EnclaverPlaces {
  /** The recipe's name. */
  readonly name: string;
  /** The image's archive or layout, relative to the recipe. */
  readonly image: string | undefined;
  /** Folder of the kernel's and init's recipes, relative to the recipe, with a slash at its end where it is not empty. */
  readonly recipes: string;
}

/** Makes the recipe, and says what it leaves out. */
export function recipeFromEnclaver(manifest: EnclaverManifest, places: EnclaverPlaces): ImportedRecipe {
  const { app } = manifest.sources;
  const image = places.image ?? `${places.name}.image.tar`;
  const before =
    places.image === undefined ? [`docker save ${shellWord(app)} --output ${shellWord(image)}`] : [];
  const text = enclaveRecipe({
    about: [
      `What enclaver.yaml calls ${manifest.name}, without enclaver's own programs around it.`,
      `The application's image, ${app}, is read from ${image}; its bytes are pinned by the lock.`,
    ],
    name: places.name,
    components: {
      kernel: `${places.recipes}linux-nitro.recipe.yaml`,
      init: `${places.recipes}nitro-init.recipe.yaml`,
    },
    kernel: "kernel/bzImage",
    ramdisks: ["init/init.cpio", `{image: ${image}}`],
    imageName: manifest.name,
  });
  return { text, before, warnings: [...warningsOf(manifest)] };
}

function* warningsOf(manifest: EnclaverManifest): Generator<ImportWarning> {
  const { sources, ingress, egress, kms_proxy: kms, api, spire, signature, defaults, target } = manifest;
  const supervisor = sources.odyn ?? sources.supervisor;
  yield {
    code: "BP-ENCLAVE-101",
    message: `enclaver's supervisor (${supervisor ?? "odyn"}) is not in the image: init starts the application itself, so PCR0 and PCR2 are not those of an enclaver build`,
  };
  if (ingress !== undefined && ingress.length > 0) {
    const ports = ingress.map(({ listen_port: port, tls }) => `${String(port)}${tls ? " with TLS" : ""}`);
    yield {
      code: "BP-ENCLAVE-102",
      message: `ingress is not served (ports ${ports.join(", ")}): the application has to listen on vsock`,
    };
  }
  if (egress !== undefined) {
    const rules = `${String(egress.allow?.length ?? 0)} allow and ${String(egress.deny?.length ?? 0)} deny rules`;
    yield {
      code: "BP-ENCLAVE-103",
      message: `egress is not proxied and its ${rules} are not enforced: an enclave has no network but vsock`,
    };
  }
  if (kms !== undefined)
    yield {
      code: "BP-ENCLAVE-104",
      message: `kms_proxy is not run (port ${String(kms.listen_port)}): the application has to attach attestation documents itself`,
    };
  if (api !== undefined)
    yield {
      code: "BP-ENCLAVE-105",
      message: `the attestation API is not served (port ${String(api.listen_port)}): the application reads /dev/nsm`,
    };
  if (spire !== undefined)
    yield {
      code: "BP-ENCLAVE-106",
      message: `no SPIFFE identity is fetched from ${spire.server_addr}`,
    };
  yield {
    code: "BP-ENCLAVE-107",
    message: `no release image ${target} is made (${sources.sleeve ?? sources.wrapper ?? "sleeve"} wraps one): the result is the EIF`,
  };
  if (signature !== undefined)
    yield {
      code: "BP-ENCLAVE-108",
      message: `the image is not signed with ${signature.certificate}: a build that needs a key cannot be rebuilt; sign what comes out (bootproof eif sign)`,
    };
  if (defaults !== undefined)
    yield {
      code: "BP-ENCLAVE-109",
      message: `defaults are no part of an image; run it with${optionOf("--cpu-count", defaults.cpu_count)}${optionOf("--memory", defaults.memory_mb)}`,
    };
}

const optionOf = (option: string, value: number | undefined): string =>
  value === undefined ? "" : ` ${option} ${String(value)}`;
