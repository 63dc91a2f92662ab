/**
 * The text of a recipe for an enclave image, as people would write it.
 * @module
 */

/** What stands in the recipe. */
export interface EnclaveText {
  /** Comment lines at the top. */
  readonly about: readonly string[];
  readonly name: string;
  readonly components: Readonly<Record<string, string>>;
  readonly architecture?: "x86_64" | "aarch64";
  readonly cmdline?: string;
  readonly kernel: string;
  readonly ramdisks: readonly string[];
  /** ImageName of the metadata. */
  readonly imageName?: string;
}

/** What nitro-cli's own command lines have in common: restart ends the enclave, nothing is probed that is not there. */
const CMDLINE = "reboot=k panic=30 pci=off nomodules console=ttyS0 random.trust_cpu=on";

/** Writes the recipe. */
export function enclaveRecipe(recipe: EnclaveText): string {
  const { about, name, components, architecture = "x86_64", cmdline = CMDLINE } = recipe;
  const lines = [
    ...about.map((text) => `# ${text}`),
    `# Next: bootproof lock ${name}.recipe.yaml, then bootproof build ${name}.recipe.yaml --twice`,
    `name: ${name}`,
    'version: "1"',
  ];
  if (Object.keys(components).length > 0)
    lines.push("components:", ...Object.entries(components).map(([key, path]) => `  ${key}: ${path}`));
  lines.push(
    `cmdline: ${JSON.stringify(cmdline)}`,
    "outputs:",
    `  ${name}.eif:`,
    "    kind: eif",
    "    eif:",
    `      architecture: ${architecture}`,
    `      kernel: ${recipe.kernel}`,
    "      # The first ramdisk counts into PCR1, all others into PCR2.",
    "      ramdisks:",
    ...recipe.ramdisks.map((ramdisk) => `        - ${ramdisk}`),
  );
  if (recipe.imageName !== undefined) lines.push(`      name: ${JSON.stringify(recipe.imageName)}`);
  lines.push("platforms:", "  - {platform: nitro}");
  return `${lines.join("\n")}\n`;
}
