// Lint for the whole house: types, docs, and who may import whom (design.md section 2).
import nx from "@nx/eslint-plugin";
import prettier from "eslint-config-prettier";
import jsdoc from "eslint-plugin-jsdoc";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** A tier may import only the tiers below it, never its own or one above. */
const TIERS = ["ground", "formats", "engines", "judgement", "services", "surfaces", "outside"] as const;

const tierConstraints = TIERS.map((tier, height) => ({
  sourceTag: `tier:${tier}`,
  onlyDependOnLibsWithTags: TIERS.slice(0, height).map((below) => `tier:${below}`),
}));

/** One door per outside library: the only files that may import it. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  "@noble/hashes/*": ["bytes/src/hash-noble.ts"],
  "@noble/curves/*": ["bytes/src/ed25519.ts", "bytes/src/ed25519-noble.ts", "bytes/src/ecdsa.ts"],
  "@noble/post-quantum/*": ["bytes/src/mldsa.ts"],
  execa: ["builder/src/process.ts"],
  "tar-stream": ["builder/src/archive.ts"],
  yaml: ["builder/src/yaml.ts"],
  openpgp: ["builder/src/release-signature.ts"],
  "@rgrove/parse-xml": ["bytes/src/xml.ts"],
  aws4fetch: ["store/src/s3-signature.ts"],
  pg: ["store/src/postgres-driver.ts"],
  "smol-toml": ["measure/src/machine/toml.ts"],
  "node:sqlite": ["store/src/key-index.ts"],
};

const PURE = "{bytes,ovmf,boot,statement,measure,log,verify}/src/**/*.ts";
const NODE_BUILT_IN = { regex: "^node:", message: "a pure package imports no Node built-in" };

/** The `no-restricted-imports` options that close every door but those named. */
function closedDoors(open: readonly string[], pure: boolean): ["error", object] {
  const closed = Object.keys(DOORS).filter((library) => !open.includes(library));
  const patterns = closed.map((library) => ({
    group: [library],
    message: `one door per library: ${(DOORS[library] ?? []).join(", ")}`,
  }));
  return ["error", { patterns: pure ? [...patterns, NODE_BUILT_IN] : patterns }];
}

const doors = Object.entries(DOORS).map(([library, files]) => ({
  files: [...files],
  rules: { "no-restricted-imports": closedDoors([library], PURE.includes(files[0]?.split("/")[0] ?? "-")) },
}));

export default defineConfig(
  globalIgnores(["**/dist", "**/out-tsc", "**/out", "node_modules", ".nx", "test/vectors"]),
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked, prettier],
    plugins: { jsdoc, "@nx": nx },
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["*.config.ts"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@nx/enforce-module-boundaries": [
        "error",
        {
          allow: ["#hash", "#ed25519"],
          enforceBuildableLibDependency: false,
          depConstraints: [...tierConstraints, { sourceTag: "pure", onlyDependOnLibsWithTags: ["pure"] }],
        },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "jsdoc/require-jsdoc": [
        "error",
        {
          publicOnly: true,
          require: { ClassDeclaration: true, FunctionDeclaration: true, MethodDefinition: false },
          contexts: [
            "TSInterfaceDeclaration",
            "TSTypeAliasDeclaration",
            "ExportNamedDeclaration > VariableDeclaration",
          ],
        },
      ],
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ["**/*.ts"], rules: { "no-restricted-imports": closedDoors([], false) } },
  {
    files: [PURE],
    ignores: ["**/*.test.ts", "**/*.testing.ts", "bytes/src/{hash,ed25519}-node.ts"],
    rules: {
      // Pure packages run unchanged in a browser: no file system, network, process or Node built-in.
      "no-restricted-imports": closedDoors([], true),
      "no-restricted-globals": [
        "error",
        "process",
        "Buffer",
        "fetch",
        "require",
        "setTimeout",
        "setInterval",
      ],
    },
  },
  ...doors,
  {
    files: ["**/*.test.ts", "**/*.testing.ts", "test/**/*.ts"],
    rules: {
      "max-lines-per-function": "off",
      "no-restricted-imports": "off",
      "jsdoc/require-jsdoc": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  // The configuration files belong to no package, and the nx plugin ships no types.
  { files: ["*.config.ts"], extends: [tseslint.configs.disableTypeChecked] },
);
