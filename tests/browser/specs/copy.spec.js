// Things to take away: texts by copy buttons, tables as CSV, the data and the SQL behind every chart.
import { readFile } from "node:fs/promises";

import { VISIT_LIMIT, every } from "../support/pages.js";
import { api, expect, newest, test } from "../support/test.js";

const { ARTICLE, STRANGE } = process.env;

test.describe("copy buttons", () => {
  test.use({ permissions: ["clipboard-read", "clipboard-write"] });

  // Presses the button, and waits until it has said that it is done.
  async function copied(page, button) {
    await page.evaluate(() => {
      document.querySelector("#announce").textContent = "";
      return navigator.clipboard.writeText("nothing yet");
    });
    await button.click();
    await expect(page.locator("#announce")).toHaveText("Copied");
    return page.evaluate(() => navigator.clipboard.readText());
  }

  test("a span's statement, the id of the trace and the document as JSON are copied as they are", async ({ page }) => {
    const span = await newest(ARTICLE, 'span.name: "SELECT FROM people" and span.db.statement: *GROUP*');
    await page.goto(`${ARTICLE}/traces/${span.trace.id}?item=${span.span.id}`);
    const statement = await copied(page, page.locator("#flyout").getByRole("button", { name: "Copy" }));
    // Printed over several lines, and otherwise what the agent sent.
    const plain = (sql) => sql.replaceAll(/\s+/g, " ").trim();
    expect(plain(statement)).toBe(plain(span.span.db.statement));
    expect(statement).toBe(await page.locator("#statement").textContent());
    expect(await copied(page, page.getByRole("button", { name: "Copy id" }))).toBe(span.trace.id);

    await page.goto(`${ARTICLE}/traces/${span.trace.id}?tab=json`);
    const document = JSON.parse(await copied(page, page.getByRole("button", { name: "Copy" })));
    expect(document.trace.id).toBe(span.trace.id);
    expect(document).toEqual(
      (
        await api(ARTICLE, "discover", {
          q: `transaction.id: ${document.transaction.id} and processor.event: transaction`,
        })
      ).hits[0],
    );
  });

  test("so are a proposed index, a snippet of the setup, an error as Markdown, and the address of a sample", async ({
    page,
  }) => {
    const { statements } = await api(ARTICLE, "queries");
    const { fingerprint } = statements.find(({ normalized }) => /GROUP BY/.test(normalized));
    await page.goto(`${ARTICLE}/queries/${fingerprint}?service=my-app-01`);
    expect(await copied(page, page.locator('[data-copy="index"]'))).toMatch(/^CREATE INDEX \S+ ON people ?\(city\)$/);

    await page.goto(`${ARTICLE}/setup`);
    expect(await copied(page, page.locator('[data-copy="flask"]'))).toContain(`"SERVER_URL": "${ARTICLE}"`);

    const { errors } = await api(ARTICLE, "services/my-app-01/errors");
    await page.goto(`${ARTICLE}/services/my-app-01/errors/${errors[0].key}`);
    const markdown = await copied(page, page.getByRole("button", { name: "Copy as Markdown" }));
    expect(markdown).toContain(errors[0].message);
    expect(markdown).toContain("my-app-01");
    expect(markdown).toContain("src/routes/fail.rs");

    await page.goto(
      `${ARTICLE}/services/my-app-01/transactions/view?type=request&name=${encodeURIComponent("GET /delay")}`,
    );
    // Its range is frozen: a range that ends now shows another sample tomorrow.
    await page.getByRole("link", { name: "Copy link", exact: true }).click();
    await expect(page.locator("#announce")).toHaveText("Link copied");
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toContain("/services/my-app-01/transactions/view?");
    expect(link).toMatch(/from=\d{4}-\d\d-\d\dT/);
    // So is its sample: it is the one that is shown, and not the newest.
    const id = async () => (await page.locator("#sample .meta a code").textContent()).trim();
    const shown = await id();
    await page.locator("#sample .pager a").last().click();
    await expect.poll(id).not.toBe(shown);
    await page.goto(link);
    expect(await id()).toBe(shown);
  });
});

// The rows of RFC 4180 text.
function rows(csv) {
  const out = [[]];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    if (quoted === undefined && plain === "" && end === "") continue;
    out.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") out.push([]);
  }
  return out.filter((row) => row.length);
}

async function downloaded(page, press) {
  const [download] = await Promise.all([page.waitForEvent("download"), press()]);
  return { name: download.suggestedFilename(), rows: rows(await readFile(await download.path(), "utf8")) };
}

test("a table is downloaded with the rows that are shown, in their order", async ({ page }) => {
  await page.goto(`${ARTICLE}/services/my-app-01/transactions?sort=name&refresh=0`);
  const table = page.getByRole("table", { name: "Transactions by name" });
  const names = (await table.getByRole("rowheader").allTextContents()).map((text) => text.trim());
  expect(names.length).toBeGreaterThan(6);
  const file = await downloaded(page, () =>
    page.getByRole("button", { name: "Download as CSV: Transactions by name" }).click(),
  );
  expect(file.name).toBe("transactions.csv");
  const [head, ...body] = file.rows;
  expect(head[0]).toBe("transaction");
  expect(head).toContain("latency_avg_us");
  expect(body.map(([name]) => name)).toEqual(names);
  for (const row of body) expect(row).toHaveLength(head.length);
  // The page is still there.
  await expect(table).toBeVisible();
});

test("a field that a spreadsheet would run is text in the file", async ({ page, begin }) => {
  const server = await begin(["server"]);
  const now = Date.now() * 1000 - 10e6;
  const names = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "=cmd|' /C calc'!A0", "\t=1+1", " =1+1", "ordinary"];
  await server.send([
    { metadata: { service: { name: "sheet", agent: { name: "python", version: "6" } } } },
    ...names.map((name, i) => ({
      transaction: {
        id: `a${i}`.padEnd(16, "0"),
        trace_id: `b${i}`.padEnd(32, "0"),
        timestamp: now + i * 1000,
        duration: 5,
        name,
        type: "request",
        result: "ok",
        sampled: true,
        span_count: { started: 0 },
      },
    })),
  ]);
  await page.goto(`${server.pages}/services/sheet/transactions?refresh=0`);
  const file = await downloaded(page, () =>
    page.getByRole("button", { name: "Download as CSV: Transactions by name" }).click(),
  );
  const firsts = file.rows.slice(1).map(([name]) => name);
  expect(firsts).toHaveLength(names.length);
  for (const field of file.rows.flat()) expect(field, field).not.toMatch(/^\s*(=|@|[+-](?![\d.,\s%]*$))/);
  // They are all there, to be read.
  for (const name of names)
    expect(
      firsts.some((field) => field.endsWith(name.trim())),
      name,
    ).toBe(true);
  // The console's file is of the same kind.
  const sql = encodeURIComponent("SELECT name FROM v_transactions ORDER BY seq");
  const { rows: asked } = await downloaded(page, () =>
    page.goto(`${server.pages}/api/v1/sql?format=csv&sql=${sql}`).catch(() => {}),
  );
  expect(asked).toHaveLength(names.length + 1);
  for (const [field] of asked.slice(1)) expect(field, field).not.toMatch(/^\s*[=+@-]/);
});

test("every chart of every page shows its data, and its SQL runs in the console", async ({ page }) => {
  test.setTimeout(VISIT_LIMIT);
  const seen = new Set();
  const all = [
    ...(await every(ARTICLE, "my-app-01", 'transaction.name: "GET /sql-write"')),
    ...(await every(STRANGE, "shop", 'transaction.name: "GET /cities"')),
  ];
  for (const [name, address] of all) {
    // A chart of the console stands between its statement and its rows.
    if (name.startsWith("SQL")) continue;
    const html = await (await page.request.get(address)).text();
    // Charts without measurements have words in their place.
    const charts = [...html.matchAll(/<figure class="chart"[^>]* id="([^"]+)".*?<\/figure>/gs)].filter(([chart]) =>
      chart.includes("chart-plot"),
    );
    for (const [, id] of charts) {
      const key = `${name.split(/[,?]| \d/)[0]} ${id}`;
      if (seen.has(key)) continue;
      seen.add(key);
      await page.goto(address);
      const chart = page.locator(`figure#${id}`);
      await chart.getByRole("link", { name: "View data", exact: true }).click();
      await expect(chart.locator(`#${id}-data table`), key).toBeVisible();
      expect(await chart.locator(`#${id}-data tbody tr`).count(), key).toBeGreaterThan(0);
      await chart.getByRole("link", { name: "SQL", exact: true }).click();
      await expect(chart.locator(`#${id}-sql pre`).first(), key).toContainText("SELECT");
      const links = chart.getByRole("link", { name: "Open in SQL" });
      for (const leads of await links.evaluateAll((all) => all.map((link) => link.href))) {
        expect(new URL(leads).pathname, key).toBe("/sql");
        expect(await (await page.request.get(leads)).text(), key).toMatch(/<h1[^>]*>[\d,]+ rows? in /);
      }
    }
  }
  for (const id of [
    "latency",
    "throughput",
    "failed",
    "distribution",
    "breakdown",
    "occurrences",
    "cpu",
    "memory",
    "documents",
    "density",
    "growth-0",
  ]) {
    expect(
      [...seen].some((key) => key.endsWith(` ${id}`)),
      id,
    ).toBe(true);
  }
});
