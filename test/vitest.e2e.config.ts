import path from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";

/** One file after the other: each builds, boots or measures with every core. */
const config: ViteUserConfig = defineConfig({
  root: path.resolve(import.meta.dirname, ".."),
  resolve: { conditions: ["@bootproof/source"] },
  ssr: { resolve: { conditions: ["@bootproof/source"], externalConditions: ["@bootproof/source"] } },
  test: {
    include: ["test/e2e/**/*.e2e.ts"],
    fileParallelism: false,
    testTimeout: 45 * 60_000,
    hookTimeout: 45 * 60_000,
  },
});
export default config;
