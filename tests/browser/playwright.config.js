// Debian's Chromium on services that `setup.js` starts; `.ci/browser` calls this.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "specs",
  outputDir: "results",
  globalSetup: "./setup.js",
  workers: 2,
  timeout: 30_000,
  expect: { timeout: 10_000 },
  forbidOnly: true,
  reporter: [["list"]],
  use: {
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    timezoneId: "UTC",
    actionTimeout: 10_000,
    launchOptions: {
      executablePath: process.env.CHROMIUM,
      // There is nothing to draw on. As root, as in a container, Chromium has no sandbox of its own.
      args: ["--disable-gpu", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
    },
  },
});
