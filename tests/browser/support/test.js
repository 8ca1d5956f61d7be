// `test` with a watch on every page: nothing may be blocked by the content security policy, no script may fail, no
// dialog may open, and no request may leave the server's own origin.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, test as base } from "@playwright/test";

import { ask, start, started } from "./service.js";

export { expect };

// Answers come as over a poor connection: what a test takes for granted too early is not there yet.
async function slowed(page) {
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  const bytes = 150_000;
  const conditions = { offline: false, latency: 150, downloadThroughput: bytes, uploadThroughput: bytes };
  await client.send("Network.emulateNetworkConditions", conditions);
}

export const test = base.extend({
  // Console errors that a test provokes on purpose, such as those of a missing page.
  tolerated: [[], { option: true }],

  // Starts a service, or a server alone, that no other test sees; it ends with the test.
  begin: async ({ context }, use) => {
    const directory = mkdtempSync(path.join(tmpdir(), "pocket-apm-own-")),
      running = [];
    await use(async (args) => {
      const one = await start(directory, `own-${running.length}`, args);
      running.push(one);
      return one;
    });
    // Streams of pages end before their server does.
    await Promise.all(context.pages().map((page) => page.close()));
    await Promise.all(running.map((one) => one.stop()));
    rmSync(directory, { recursive: true, force: true });
  },

  // A page whose `goto` and `reload` wait for its scripts: what a script adds does not answer before.
  page: async ({ page, javaScriptEnabled }, use) => {
    if (javaScriptEnabled !== false)
      for (const method of ["goto", "reload"]) {
        const load = page[method].bind(page);
        page[method] = async (...args) => {
          const answer = await load(...args);
          await page.waitForFunction(
            () => !document.querySelector('script[src*="/app.js"]') || "ready" in document.documentElement.dataset,
          );
          return answer;
        };
      }
    if (process.env.SLOW_NETWORK) await slowed(page);
    await use(page);
  },

  problems: [
    async ({ context, tolerated }, use) => {
      const problems = [];
      const own = [process.env.ARTICLE, process.env.PLAY, process.env.STRANGE];
      context.on("request", (request) => {
        const { origin, protocol } = new URL(request.url());
        if (!own.includes(origin) && !started.has(origin) && protocol !== "data:")
          problems.push(`a request left for ${request.url()}`);
      });
      context.on("console", (message) => {
        if (message.type() === "error" && !tolerated.some((known) => known.test(message.text())))
          problems.push(`${message.page()?.url()}: ${message.text()}`);
      });
      context.on("weberror", (failed) => problems.push(`${failed.page()?.url()}: ${failed.error()}`));
      context.on("dialog", async (dialog) => {
        problems.push(`a dialog opened: ${dialog.message()}`);
        await dialog.dismiss();
      });
      await context.addInitScript(() => {
        addEventListener("securitypolicyviolation", (event) =>
          console.error(`CSP: ${event.effectiveDirective} blocked ${event.blockedURI} ${event.sample}`),
        );
      });
      await use(problems);
      expect(problems, "what went wrong on the pages").toEqual([]);
    },
    { auto: true },
  ],
});

// The parsed answer of a server's `/api/v1/…`.
export async function api(pages, resource, parameters = {}) {
  const { status, text } = await ask(`${pages}/api/v1/${resource}?${new URLSearchParams(parameters)}`);
  expect(status, text).toBe(200);
  return JSON.parse(text);
}

// The newest document that matches.
export async function newest(pages, query) {
  const { hits } = await api(pages, "discover", { q: query, size: 1 });
  expect(hits.length, query).toBe(1);
  return hits[0];
}
