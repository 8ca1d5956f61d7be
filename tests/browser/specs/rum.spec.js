// Elastic's agent for browsers on a page of another site, from its load to the backend, in both versions of its wire.
import { readFile } from "node:fs/promises";
import http from "node:http";

import { ask, started, until } from "../support/service.js";
import { expect, test } from "../support/test.js";

const AGENT = "node_modules/@elastic/apm-rum/dist/bundles/elastic-apm-rum.umd.min.js";

// As a minifier writes it, and what was written: the throw is in the second line of boom.js.
const SCRIPT = "function b(){throw Error('no such item')}function g(){try{b()}catch(e){elasticApm.captureError(e)}}";
const SOURCES = {
  "src/boom.js": "export function boom() {\n  throw Error('no such item');\n}\n",
  "src/go.js": "export function go() {\n  try { boom(); } catch (e) { elasticApm.captureError(e); }\n}\n",
};

// Numbers as source maps write them.
function vlq(number) {
  let text = "",
    left = number < 0 ? (-number << 1) | 1 : number << 1;
  do {
    const digit = left & 31;
    left >>>= 5;
    text += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[digit | (left ? 32 : 0)];
  } while (left);
  return text;
}

// Each: column in the script, source, line, column, name. All but the first are differences.
function sourceMap() {
  const at = (text) => SCRIPT.indexOf(text);
  const places = [
    [0, 0, 0, 0, 0],
    [at("throw"), 0, 1, 2, 1],
    [at("function g"), 1, 0, 0, 2],
    [at("b()}catch"), 1, 1, 8, 0],
  ];
  const before = [0, 0, 0, 0, 0];
  const mappings = places.map((place) =>
    place
      .map((value, i) => {
        const difference = value - before[i];
        before[i] = value;
        return vlq(difference);
      })
      .join(""),
  );
  return JSON.stringify({
    version: 3,
    sources: Object.keys(SOURCES),
    sourcesContent: Object.values(SOURCES),
    names: ["boom", "Error", "go"],
    mappings: mappings.join(","),
  });
}

function html(pages, version) {
  const settings = {
    serviceName: "shop",
    serviceVersion: "1.0",
    serverUrl: pages,
    apiVersion: version,
    // With it, the agent begins the page load only when its settings are there, and the request below would be apart.
    centralConfig: false,
    flushInterval: 100,
  };
  return `<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script src="/rum.js"></script>
    <script>elasticApm.init(${JSON.stringify(settings)}); fetch("/api/people");</script>
    <script src="/app.min.js"></script><h1>Our shop sells many things</h1><button onclick="g()">Buy</button>`;
}

// The site: a page with its scripts, and the backend below /api.
async function site(service, page) {
  const agent = await readFile(AGENT);
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://site");
    if (pathname.startsWith("/api/")) {
      const { traceparent } = request.headers;
      const headers = traceparent ? { traceparent } : {};
      const { status, text } = await ask(service + pathname.slice(4), { headers });
      response.writeHead(status).end(text);
      return;
    }
    const files = {
      "/": ["text/html", page],
      "/rum.js": ["text/javascript", agent],
      "/app.min.js": ["text/javascript", SCRIPT],
    };
    const [kind, body] = files[pathname] ?? ["text/plain", ""];
    response.writeHead(body ? 200 : 404, { "content-type": kind }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  started.add(origin);
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { origin, stop };
}

async function upload(pages, address) {
  const form = new FormData();
  form.set("service_name", "shop");
  form.set("service_version", "1.0");
  form.set("bundle_filepath", address);
  form.set("sourcemap", new Blob([sourceMap()]), "app.min.js.map");
  const answer = await fetch(`${pages}/api/apm/sourcemaps`, { method: "POST", body: form });
  expect(answer.status, await answer.text()).toBe(200);
}

for (const version of [2, 3]) {
  test(`a page's load leads to the backend's work, version ${version}`, async ({ page, begin }) => {
    const apm = await begin(["--rum", "--rum-allow-services", "shop"]);
    const { origin, stop } = await site(apm.service, html(apm.pages, version));
    const sent = [];
    page.on("response", (answer) => {
      if (answer.url().includes("/rum/")) sent.push(`${answer.request().method()} ${answer.status()}`);
    });
    await page.goto(origin);
    await page.getByRole("button", { name: "Buy" }).click();
    const found = (q) =>
      until(
        q,
        async () => (await apm.api("discover", { q })).hits,
        (hits) => hits.length > 0,
      );
    const [load] = await found("service.name: shop and transaction.type: page-load and processor.event: transaction");
    const [error] = await found("service.name: shop and processor.event: error");
    await found(`service.name: my-app-01 and processor.event: transaction and trace.id: ${load.trace.id}`);
    expect(new Set(sent), "no answer was a refusal").toEqual(new Set(sent.filter((one) => / 20[02]$/.test(one))));
    expect(load.user_agent.name).toMatch(/Chrome/);
    expect(load.transaction.marks.agent.largestContentfulPaint).toBeGreaterThan(0);
    expect(load.transaction.marks.navigationTiming.domComplete).toBeGreaterThan(0);

    // One waterfall, from the page to the database.
    await page.goto(`${apm.pages}/traces/${load.trace.id}`);
    for (const name of ["GET /api/people", "GET /people"])
      await expect(page.locator("#main").getByText(name, { exact: true }).first()).toBeVisible();

    await page.goto(`${apm.pages}/vitals`);
    const row = page.locator("table", { hasText: "LCP p75" }).locator("tbody tr");
    await expect(row).toHaveCount(1);
    await expect(row).toContainText("shop");
    await expect(page.locator("h1, h2").filter({ hasText: "of page loads show their main content" })).toBeVisible();

    // The stack shows what was written, once the map is there.
    await upload(apm.pages, "/app.min.js");
    await page.goto(`${apm.pages}/services/shop/errors/${error.error.grouping_key}`);
    await expect(page.locator(".src .hit").filter({ hasText: "throw Error('no such item');" }).first()).toBeVisible();
    await expect(page.locator(".frame").filter({ hasText: "src/boom.js:2" }).first()).toBeVisible();
    stop();
  });
}
