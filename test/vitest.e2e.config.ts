import path from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Tests of logs and of what watches them: small processes that mostly wait for each other. */
const LOGS = ["log-*", "watch", "witness", "browser"].map((name) => `test/e2e/${name}.e2e.ts`);

const test = { testTimeout: 45 * 60_000, hookTimeout: 45 * 60_000 };

/** What builds or boots takes every core, one file after the other; then the logs, two files at a time. */
const config: ViteUserConfig = defineConfig({
  root: path.resolve(import.meta.dirname, ".."),
  resolve: { conditions: ["@bootproof/source"] },
  ssr: { resolve: { conditions: ["@bootproof/source"], externalConditions: ["@bootproof/source"] } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          ...test,
          name: "builds",
          include: ["test/e2e/**/*.e2e.ts"],
          exclude: LOGS,
          fileParallelism: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { ...test, name: "logs", include: LOGS, maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
export default config;
