// `test` with a watch on every page: nothing may be blocked by the content security policy, no script may fail, no dialog may
// open, and no request may leave the server's own origin.
import { expect, test as base } from "@playwright/test";

import { ask } from "./service.js";

export { expect };

export const test = base.extend({
  // Console errors that a test provokes on purpose, such as those of a missing page.
  tolerated: [[], { option: true }],

  problems: [async ({ context, tolerated }, use) => {
    const problems = [];
    const own = [process.env.ARTICLE, process.env.PLAY, process.env.STRANGE];
    context.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (!own.includes(origin) && protocol !== "data:") problems.push(`a request left for ${request.url()}`);
    });
    context.on("console", (message) => {
      if (message.type() === "error" && !tolerated.some((known) => known.test(message.text()))) problems.push(`${message.page()?.url()}: ${message.text()}`);
    });
    context.on("weberror", (failed) => problems.push(`${failed.page()?.url()}: ${failed.error()}`));
    context.on("dialog", async (dialog) => {
      problems.push(`a dialog opened: ${dialog.message()}`);
      await dialog.dismiss();
    });
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.effectiveDirective} blocked ${event.blockedURI} ${event.sample}`));
    });
    await use(problems);
    expect(problems, "what went wrong on the pages").toEqual([]);
  }, { auto: true }],
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
