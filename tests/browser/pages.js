// Weight and time of every page: `.ci/browser --pages`, with POCKET_APM for another binary than the debug one.
//
// A table of Markdown: bytes of the first load, of the page alone, and the median of the time to the first byte and to
// the end of loading, of five loads with an empty cache.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { chromium } from "@playwright/test";

import { every, still } from "./support/pages.js";
import { start } from "./support/service.js";

const LOADS = 5,
  SERVICE = "demo-app";
const directory = mkdtempSync(path.join(tmpdir(), "pocket-apm-pages-"));
const server = await start(directory, "pages", ["server"]);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const kb = (bytes) => (bytes / 1000).toFixed(1);

async function load(address) {
  const context = await browser.newContext(),
    page = await context.newPage(),
    client = await context.newCDPSession(page);
  let all = 0;
  await client.send("Network.enable");
  client.on("Network.loadingFinished", ({ encodedDataLength }) => (all += encodedDataLength));
  await page.goto(address);
  const times = await page.evaluate(() => {
    const [{ responseStart, requestStart, loadEventStart, transferSize }] = performance.getEntriesByType("navigation");
    return { first: responseStart - requestStart, loaded: loadEventStart, own: transferSize };
  });
  await context.close();
  return { all, ...times };
}

try {
  const made = ["generate", "--traces", "3000", "--window", "15m", "--server", server.pages];
  execFileSync(process.env.POCKET_APM, made, { stdio: "ignore" });
  // Each kind of page once: what follows a number is a variant.
  const pages = new Map();
  for (const [name, address] of await every(server.pages, SERVICE, `service.name: ${SERVICE}`)) {
    const kind = name.replace(/ \d.*$/, "");
    if (!pages.has(kind)) pages.set(kind, still(address));
  }
  console.log("| page | first load, kB | page alone, kB | first byte, ms | loaded, ms |\n|---|---:|---:|---:|---:|");
  for (const [name, address] of pages) {
    await load(address);
    const loads = [];
    for (let i = 0; i < LOADS; i++) loads.push(await load(address));
    const of = (key) => median(loads.map((one) => one[key]));
    const times = [of("first"), of("loaded")].map((ms) => ms.toFixed(0));
    console.log(`| ${name} | ${kb(of("all"))} | ${kb(of("own"))} | ${times.join(" | ")} |`);
  }
} finally {
  await browser.close();
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
