// Settings that change what is stored: deleting all of it, taking a trace out and in again. Each test has a server of
// its own.
import { readFile } from "node:fs/promises";

import { strange } from "../support/streams.js";
import { expect, test } from "../support/test.js";

const TRACE = "c1ea2".padEnd(32, "0"),
  TRANSACTION = "c1ea3".padEnd(16, "0");

// A request that reads, calls another service, and fails.
function request() {
  const now = Date.now() * 1000 - 20e6;
  const ids = { trace_id: TRACE, transaction_id: TRANSACTION, parent_id: TRANSACTION };
  return [
    {
      metadata: {
        service: {
          name: "cart",
          version: "1.4",
          environment: "test",
          agent: { name: "nodejs", version: "4" },
          language: { name: "javascript" },
        },
        system: { configured_hostname: "till-3" },
      },
    },
    {
      transaction: {
        id: TRANSACTION,
        trace_id: TRACE,
        timestamp: now,
        duration: 31.5,
        name: "GET /cart",
        type: "request",
        result: "HTTP 5xx",
        outcome: "failure",
        sampled: true,
        span_count: { started: 2, dropped: 1 },
        context: {
          request: { method: "GET", url: { full: "http://shop/cart", pathname: "/cart" }, headers: { host: "shop" } },
          response: { status_code: 500 },
        },
      },
    },
    {
      span: {
        ...ids,
        id: "c1ea4".padEnd(16, "0"),
        timestamp: now + 1_000,
        duration: 2.25,
        name: "SELECT FROM carts",
        type: "db",
        subtype: "postgresql",
        action: "query",
        context: { db: { statement: "SELECT * FROM carts WHERE id = $1", type: "sql" } },
      },
    },
    {
      span: {
        ...ids,
        id: "c1ea5".padEnd(16, "0"),
        timestamp: now + 5_000,
        duration: 20,
        name: "GET prices",
        type: "external",
        subtype: "http",
        context: { http: { url: "http://prices/all", method: "GET", status_code: 503 } },
      },
    },
    {
      error: {
        ...ids,
        id: "c1ea6".padEnd(32, "0"),
        timestamp: now + 26_000,
        culprit: "cart.total",
        exception: { message: "no prices", type: "PriceError", handled: false },
      },
    },
  ];
}

// The text of the trace's page: its rows with their times, and its facts but for how long ago it was.
async function shown(page, server) {
  await page.goto(`${server.pages}/traces/${TRACE}`);
  await expect(page.locator("#wf")).toContainText("GET prices");
  const rows = await page.locator("#wf tbody tr").allInnerTexts();
  const bars = await page
    .locator("#wf svg.bars rect")
    .evaluateAll((all) => all.map((bar) => ["class", "x", "width"].map((name) => bar.getAttribute(name)).join(" ")));
  const headline = await page.getByRole("heading", { level: 1 }).innerText();
  const documents = (await server.api("discover", { q: `trace.id: ${TRACE}`, size: 20 })).hits;
  // The address that an event came from is the connection's, and no part of what an agent says.
  for (const document of documents) delete document.host.ip;
  return { headline, rows, bars, documents };
}

test("deleting everything needs its box, empties every page, and each page says why it is empty", async ({
  page,
  begin,
}) => {
  const server = await begin(["server"]);
  await server.send(request());
  await server.send(strange());
  await page.goto(`${server.pages}/settings`);
  const remove = page.getByRole("button", { name: "Delete everything" });
  // The browser itself holds the form back.
  await remove.click();
  await expect(page).toHaveURL(/\/settings$/);
  expect((await server.api("discover")).total).toBeGreaterThan(10);
  // And the server, when it is sent nevertheless.
  const sent = await page.request.post(`${server.pages}/settings/clear`, {
    headers: { origin: server.pages },
    form: {},
  });
  expect(sent.status()).toBe(400);
  expect(await sent.text()).toContain("Nothing was deleted.");
  expect((await server.api("discover")).total).toBeGreaterThan(10);

  await page.getByRole("checkbox", { name: /can.t be undone/ }).check();
  await remove.click();
  await expect(page.locator("main").getByRole("status")).toContainText("Everything was deleted.");
  expect((await server.api("discover", { from: "now-7d" })).total).toBe(0);
  const says = {
    "/services": "No services",
    "/services/cart": "No service named",
    "/services/cart/transactions": "No service named",
    "/services/cart/metrics": "No service named",
    "/services/cart/dependencies": "No service named",
    "/errors": "No errors",
    "/traces": "No traces",
    [`/traces/${TRACE}`]: "No such trace",
    "/queries": "No statements",
    "/insights": "No insights",
    "/compare": "No markers",
    "/discover": "No documents",
    "/live": "0 events",
  };
  for (const [path, words] of Object.entries(says)) {
    await page.goto(server.pages + path);
    await expect(page.locator("main"), path).toContainText(words);
    // And why that is, or what would bring something.
    expect((await page.locator("p.why").innerText()).length, path).toBeGreaterThan(15);
    await expect(page.locator("main"), path).not.toContainText("GET /cart");
  }
  // Events that are sent afterwards are stored as before.
  await server.send(request());
  await page.goto(`${server.pages}/services`);
  await expect(page.getByRole("rowheader", { name: /^cart/ })).toBeVisible();
});

test("a trace that is exported and imported into an emptied server is the same trace", async ({ page, begin }) => {
  const server = await begin(["server"]);
  await server.send(request());
  const before = await shown(page, server);
  expect(before.rows.length).toBeGreaterThan(2);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Export" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`trace-${TRACE}.ndjson`);
  const file = {
    name: "trace.ndjson",
    mimeType: "application/x-ndjson",
    buffer: await readFile(await download.path()),
  };

  await page.goto(`${server.pages}/settings`);
  await page.getByRole("checkbox", { name: /can.t be undone/ }).check();
  await page.getByRole("button", { name: "Delete everything" }).click();
  await expect(page.locator("main").getByRole("status")).toContainText("Everything was deleted.");
  expect((await page.goto(`${server.pages}/traces/${TRACE}`)).status()).toBe(404);

  await page.goto(`${server.pages}/settings`);
  await page.locator('#import input[type="file"]').setInputFiles(file);
  await page.getByRole("button", { name: "Import" }).click();
  await expect(page.locator("main").getByRole("status")).toContainText("4 events were stored");
  await expect(page.locator("main").getByRole("status")).not.toContainText("refused");
  await page.getByRole("link", { name: "Open the trace" }).click();
  await expect(page).toHaveURL(new RegExp(`/traces/${TRACE}`));
  expect(await shown(page, server)).toEqual(before);
  // The service is there again as well, with its error.
  await page.goto(`${server.pages}/services/cart/errors`);
  await expect(page.locator("main tbody tr").filter({ hasText: "no prices" })).toContainText("cart.total");
});

test("a file that is broken is refused with its reason, and what could be read of it is counted", async ({
  page,
  begin,
}) => {
  const server = await begin(["server"]);
  const send = async (name, content) => {
    await page.goto(`${server.pages}/settings`);
    await page
      .locator('#import input[type="file"]')
      .setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from(content) });
    await page.getByRole("button", { name: "Import" }).click();
  };
  await send("picture.ndjson", "\x89PNG\r\n\x1a\n no events at all");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("not imported");
  await expect(page.locator("p.why")).toContainText(/line 1|metadata/i);
  await send("cut.ndjson.gz", Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.from("cut off")]));
  await expect(page.getByRole("heading", { level: 1 })).toContainText("not imported");
  expect((await page.locator("p.why").innerText()).length).toBeGreaterThan(15);
  expect((await server.api("discover")).total).toBe(0);
  // One bad line among good ones.
  const lines = request().map((line) => JSON.stringify(line));
  await send("one-bad.ndjson", [...lines.slice(0, 3), '{"span": {"id": 7}}', ...lines.slice(3)].join("\n"));
  await expect(page.locator("main").getByRole("status")).toContainText("4 events were stored, 1 line was refused");
});

test.use({ tolerated: [/status of 40[04]/] });
