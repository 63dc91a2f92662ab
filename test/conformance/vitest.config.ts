import path from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Comparisons with programs that are not ours; run by hand and on a schedule, for they may need the network. */
const config: ViteUserConfig = defineConfig({
  root: path.resolve(import.meta.dirname, "../.."),
  resolve: { conditions: ["@bootproof/source"] },
  ssr: { resolve: { conditions: ["@bootproof/source"], externalConditions: ["@bootproof/source"] } },
  test: {
    include: ["test/conformance/**/*.conformance.ts"],
    testTimeout: 10 * 60_000,
    hookTimeout: 10 * 60_000,
  },
});

export default config;
