import { defineConfig } from "vitest/config";

const globalSetup = "tests/services/global-setup.ts";

// What a test costs is in its name, and the cheap ones go first: a group starts when the one before it has ended.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["tests/**/*.unit.test.ts"],
          testTimeout: 10_000,
          maxWorkers: "100%",
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "int",
          include: ["tests/**/*.int.test.ts"],
          globalSetup,
          testTimeout: 60_000,
          // The first run downloads services in a hook.
          hookTimeout: 180_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["tests/**/*.e2e.test.ts"],
          globalSetup,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
