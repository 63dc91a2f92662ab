import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["@bootproof/source"] },
  ssr: { resolve: { conditions: ["@bootproof/source"], externalConditions: ["@bootproof/source"] } },
  test: {
    include: ["*/src/**/*.test.ts"],
    exclude: ["test/**", "node_modules/**"],
    testTimeout: 30_000,
  },
});
