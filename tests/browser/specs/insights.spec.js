// Findings after the article's loop, on a service of its own: growth with its full scan, and repeats.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { grown } from "../support/article.js";
import { start, until } from "../support/service.js";
import { expect, test } from "../support/test.js";

let apm, directory;

test.beforeAll(async () => {
  test.setTimeout(120_000);
  directory = mkdtempSync(path.join(tmpdir(), "pocket-apm-insights-"));
  apm = await start(directory, "insights");
  await grown(apm);
});
test.afterAll(async () => {
  await apm?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const panel = (page, name) =>
  page.locator("section.panel").filter({ has: page.getByRole("heading", { name, exact: true }) });
const finding = (page, words, where = "Open") =>
  panel(page, where).locator("ul.findings > li").filter({ hasText: words });
const GROWTH = /GET \/sql-group gets slower as people grows/,
  REPEAT = /GET \/sql-write runs INSERT INTO people 5×/;

test("growth, its full scan and the repeated INSERT are on the page with cause, remedy and evidence", async ({
  page,
}) => {
  const address = `${apm.pages}/insights?refresh=0`;
  await page.goto(address);
  const growth = finding(page, GROWTH);
  await expect(growth).toHaveCount(1);
  await expect(growth).toContainText(/steps of SQLite at .* rows: it grows with the rows/);
  await expect(growth).toContainText("reads every row of people");
  await expect(growth).toContainText("temporary B-tree");
  await expect(growth).toContainText("CREATE INDEX people_city ON people (city)");
  const repeat = finding(page, REPEAT);
  await expect(repeat).toContainText("one statement");
  // The most costly one is the answer of the page.
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(
    await panel(page, "Open").locator("ul.findings > li a.plain").first().innerText(),
  );

  // Each piece of evidence leads to what it says.
  for (const [found, statement, request] of [
    [growth, "GROUP BY", "GET /sql-group"],
    [repeat, "INSERT INTO", "GET /sql-write"],
  ]) {
    await found.locator("a.plain").first().click();
    await expect(page).toHaveURL(/\/queries\/[0-9a-f]{16}\?/);
    await expect(page.locator("#statement")).toContainText(statement);
    await expect(page.locator("main ul.findings")).toContainText(found === growth ? GROWTH : REPEAT);
    await page.goto(address);
    await found.getByRole("link", { name: "A trace that shows it" }).click();
    await expect(page.locator("#wf tbody .label").first()).toContainText(request);
    await page.goto(address);
    await found.getByRole("link", { name: request, exact: true }).click();
    await expect(page).toHaveURL(/transactions\/view\?.*name=GET/);
    await expect(page.locator("#wf")).toBeVisible();
    await page.goto(address);
  }
});

test("the badge of the services counts open findings: dismissing one lowers it, showing it again raises it", async ({
  page,
}) => {
  // A finding is found once: no request comes any more.
  const count = async () =>
    (await apm.api("insights", { service: "my-app-01" })).insights.filter(
      ({ ended, dismissed }) => !ended && !dismissed,
    ).length;
  const badge = async () => {
    await page.goto(`${apm.pages}/services?refresh=0`);
    return page
      .getByRole("row")
      .filter({ has: page.getByRole("rowheader", { name: /^my-app-01/ }) })
      .getByRole("link", { name: /^\d+ insights?$/ });
  };
  const open = await count();
  expect(open).toBeGreaterThan(1);
  await expect(await badge()).toHaveText(`${open} insights`);
  await (await badge()).click();
  await expect(page).toHaveURL(/\/insights\?.*service=my-app-01/);
  await finding(page, REPEAT).getByRole("button", { name: "Dismiss" }).click();
  await expect(finding(page, REPEAT, "Dismissed")).toHaveCount(1);
  await expect(finding(page, REPEAT)).toHaveCount(0);
  await expect(await badge()).toHaveText(open - 1 === 1 ? "1 insight" : `${open - 1} insights`);
  // It is not found anew.
  await page.goto(`${apm.pages}/insights?refresh=0`);
  await expect(finding(page, REPEAT)).toHaveCount(0);
  await finding(page, REPEAT, "Dismissed").getByRole("button", { name: "Show again" }).click();
  await expect(finding(page, REPEAT)).toHaveCount(1);
  await expect(await badge()).toHaveText(`${open} insights`);
});

test("the table of transactions says how many statements a request runs, their time and their share of it", async ({
  page,
}) => {
  await page.goto(`${apm.pages}/services/my-app-01/transactions?sort=-sql&refresh=0`);
  const table = page.getByRole("table", { name: "Transactions by name" });
  await expect(table.getByRole("columnheader", { name: "Queries/request" })).toHaveAttribute("aria-sort", "descending");
  const heads = (await table.getByRole("columnheader").allInnerTexts()).map((text) => text.replace(/\W+$/, ""));
  const cell = (name) =>
    table
      .getByRole("row")
      .filter({ has: page.getByRole("rowheader", { name, exact: true }) })
      .locator("th, td")
      .nth(heads.indexOf("Queries/request"));
  // BEGIN, five INSERTs, COMMIT.
  await expect(cell("GET /sql-write")).toHaveText(/^7 · [\d.]+\s(µs|ms) · [\d.]+\s%$/);
  await expect(cell("GET /sql-group")).toHaveText(/^1 · [\d.]+\s(µs|ms) · [\d.]+\s%$/);
  await cell("GET /sql-write").getByRole("link").click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}\?.*tab=sql/);
});

test("the SQL tab of a trace lists statements by time, flags the repeat and names the uncovered time", async ({
  page,
}) => {
  await page.goto(`${apm.pages}/services/my-app-01/transactions?refresh=0`);
  const row = page
    .getByRole("table", { name: "Transactions by name" })
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader", { name: "GET /sql-write", exact: true }) });
  await row.getByRole("link", { name: "7", exact: true }).click();
  const statements = page.getByRole("table", { name: "SQL statements of this trace by total time" });
  const insert = statements.getByRole("row").filter({ hasText: "INSERT INTO" });
  await expect(insert).toContainText("repeated 5×");
  await expect(insert.getByRole("cell").first()).toHaveText("5");
  await expect(statements.locator("tbody tr")).toHaveCount(3);
  const gaps = page.getByRole("table", { name: "Not covered by any span" });
  await expect(gaps).toContainText("before the first span");
  await expect(gaps).toContainText("after COMMIT");
  await insert.getByRole("link").click();
  await expect(page).toHaveURL(/\/queries\/[0-9a-f]{16}/);
});

test("a statement has its plan with and without the index side by side, and a badge in the list", async ({ page }) => {
  await until(
    "the statements",
    () => apm.api("queries"),
    ({ statements }) => statements.some(({ normalized }) => /GROUP BY/.test(normalized)),
  );
  await page.goto(`${apm.pages}/queries?refresh=0`);
  const row = page.locator("main tbody tr").filter({ hasText: "GROUP BY" });
  await expect(row).toContainText(/grows [\d,]+ steps \/ 1k rows/);
  await row.getByRole("link").first().click();
  const before = page.locator("ul.plan").first(),
    after = page.locator("ul.plan").nth(1);
  await expect(page.getByRole("heading", { name: "Today" })).toBeVisible();
  await expect(before).toContainText("full scan");
  await expect(before).toContainText("USE TEMP B-TREE FOR GROUP BY");
  await expect(page.getByRole("heading", { name: "With an index" })).toBeVisible();
  await expect(after).toContainText("covering index");
  await expect(after).not.toContainText("TEMP B-TREE");
});
