// Statements, what an index would change, and the SQL console.
import { ask } from "../support/service.js";
import { api, expect, test } from "../support/test.js";

const { ARTICLE, STRANGE } = process.env;

test("the statements: calls, time and share, sorted, and a page for each", async ({ page }) => {
  await page.goto(`${ARTICLE}/queries`);
  const insert = page.locator("main tbody tr").filter({ hasText: "INSERT INTO" });
  await expect(insert).toHaveCount(1);
  const { statements } = await api(ARTICLE, "queries");
  const known = statements.find(({ verb }) => verb === "INSERT");
  expect(known.calls % 5).toBe(0);
  await expect(insert).toContainText(known.calls.toLocaleString("en-US"));
  await insert.getByRole("link").first().click();
  await expect(page).toHaveURL(new RegExp(`/queries/${known.fingerprint}`));
  await expect(page.locator("main pre.code, main .code").first()).toContainText("INSERT INTO");
  // The caller: the route that writes, five times in each request.
  const caller = page
    .getByRole("table", { name: /Requests that run/ })
    .getByRole("row")
    .filter({ hasText: "GET /sql-write" });
  await expect(caller).toContainText("5");
  await caller.getByRole("link", { name: "GET /sql-write" }).click();
  await expect(page).toHaveURL(/transactions\/view/);
});

test("the plan of the grouping says that it scans, and an index of ours is tried on a copy", async ({ page }) => {
  const { statements } = await api(ARTICLE, "queries");
  const group = statements.find(({ normalized }) => /GROUP BY/.test(normalized));
  const before = (await api(ARTICLE, "queries")).statements.length;
  await page.goto(`${ARTICLE}/queries/${group.fingerprint}?service=my-app-01`);
  const plan = page.locator("ul.plan").first();
  await expect(plan).toContainText("SCAN");
  await expect(plan).toContainText(/full scan/i);
  await expect(page.locator("main")).toContainText(/CREATE INDEX/);
  await page
    .getByRole("textbox", { name: "What if there were this index?" })
    .fill("CREATE INDEX people_city ON people (city)");
  await page.getByRole("button", { name: "Try" }).click();
  await expect(page).toHaveURL(/index=/);
  await expect(page.locator("ul.plan").nth(1)).toContainText(/USING COVERING INDEX/);
  await expect(page.locator("ul.plan").nth(1)).toContainText("people_city");
  // A text that is no index is refused with a reason, and nothing was written.
  await page.getByRole("textbox", { name: "What if there were this index?" }).fill("DROP TABLE people");
  await page.getByRole("button", { name: "Try" }).click();
  await expect(page.getByRole("alert").filter({ hasText: /./ }).last()).toBeVisible();
  expect((await ask(`${process.env.ARTICLE_SERVICE}/sql-group`)).status).toBe(200);
  expect((await api(ARTICLE, "queries")).statements.length).toBe(before);
});

test("what SQLite did: columns that sort, the mark of a scan, a sentence, and steps against rows", async ({ page }) => {
  for (const [by, count] of [
    ["steps", ({ cost }) => cost.steps],
    ["scanned", ({ cost }) => cost.scan_steps],
    ["sorts", ({ cost }) => cost.sorts],
  ]) {
    const { statements } = await api(ARTICLE, "queries", { sort: `-${by}` });
    const counts = statements.filter(({ cost }) => cost).map(count);
    expect(counts.length, by).toBeGreaterThan(3);
    expect(counts, by).toEqual(counts.toSorted((one, other) => other - one));
    expect(counts[0], by).toBeGreaterThan(0);
    await page.goto(`${ARTICLE}/queries?sort=-${by}`);
    const first = page.locator("main tbody tr").first();
    await expect(first.getByRole("link").first(), by).toHaveAttribute("href", new RegExp(statements[0].fingerprint));
  }
  for (const column of ["Steps", "Rows scanned", "Sorts"])
    await expect(page.getByRole("columnheader", { name: column })).toBeVisible();

  const name = encodeURIComponent("GET /sql-group");
  await page.goto(`${ARTICLE}/services/my-app-01/transactions/view?type=request&name=${name}`);
  const query = page.locator("#wf a.label").filter({ hasText: "SELECT FROM people" });
  await expect(page.locator("#wf").getByText("full scan")).toBeVisible();
  await query.click();
  await expect(page.locator("#flyout")).toContainText(/Scanned [\d,]+ rows to return [\d,]+; 1 sort\./);
  // A COMMIT scans nothing.
  await page.goto(`${ARTICLE}/services/my-app-01/transactions/view?type=request&name=GET%20%2Fsql-write`);
  await expect(page.locator("#wf a.label").filter({ hasText: "COMMIT" })).toBeVisible();
  await expect(page.locator("#wf").getByText("full scan")).toHaveCount(0);

  const { statements } = await api(ARTICLE, "queries");
  const group = statements.find(({ normalized }) => /GROUP BY/.test(normalized));
  await page.goto(`${ARTICLE}/queries/${group.fingerprint}?service=my-app-01`);
  expect(await page.locator("#growth-0 circle.pt").count()).toBeGreaterThan(1);
  await expect(page.locator("main")).toContainText(/It grows with the rows of people: [\d,]+ steps at [\d,]+ rows/);
});

test("growth: points, the line and what it means are on the statement's page", async ({ page }) => {
  const { statements } = await api(STRANGE, "queries", { service: "shop", from: "now-3h" });
  await page.goto(`${STRANGE}/queries/${statements[0].fingerprint}?service=shop&from=now-3h`);
  expect(await page.locator("#growth-0 circle.pt").count()).toBeGreaterThan(20);
  await expect(page.locator("#growth-0")).toContainText(/rows/);
  await expect(page.locator("main")).toContainText(/people/);
});

test("the console: an example runs, a statement of ours too, and CSV is the same rows", async ({ page }) => {
  await page.goto(`${ARTICLE}/sql`);
  await page.getByRole("link", { name: "Slowest requests" }).click();
  await expect(page.getByRole("table", { name: "Result" })).toContainText("GET /delay");
  await page
    .locator('textarea[name="sql"]')
    .fill("SELECT name, count(*) AS n FROM v_transactions WHERE name = 'GET /5xx' GROUP BY name");
  await page.getByRole("button", { name: "Run" }).click();
  const result = page.getByRole("table", { name: "Result" });
  await expect(result.locator("tbody tr")).toHaveCount(1);
  await expect(result.locator("tbody tr")).toContainText("GET /5xx");
  await expect(result.locator("tbody tr")).toContainText("3");
  const csv = await page.request.get(ARTICLE + (await page.getByRole("link", { name: "CSV" }).getAttribute("href")));
  expect(await csv.text()).toMatch(/name,n\r?\nGET \/5xx,3/);
});

test("the console refuses what is not one reading statement, with the reason", async ({ page }) => {
  const stored = (await api(ARTICLE, "discover")).total;
  for (const [text, reason] of [
    ["DELETE FROM tx", "it changes the database"],
    ["DROP TABLE tx", "it changes the database"],
    ["ATTACH 'other.db' AS other", "reach beyond the file"],
    ["PRAGMA journal_mode = DELETE", "PRAGMA"],
    ["PRAGMA user_version", "PRAGMA"],
    ["SELECT 1; SELECT 2", "exactly one statement"],
    ["SELECT nothing FROM v_spans", '"nothing"'],
    ["WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n", "stopped after"],
  ]) {
    await page.goto(`${ARTICLE}/sql?sql=${encodeURIComponent(text)}`);
    await expect(page.getByRole("heading", { level: 1 }), text).toContainText("not run");
    await expect(page.locator("p.why"), text).toContainText(reason);
    await expect(page.getByRole("table", { name: "Result" }), text).toHaveCount(0);
    // It stays, to be mended.
    await expect(page.locator('textarea[name="sql"]'), text).toHaveValue(text);
  }
  expect((await api(ARTICLE, "discover")).total).toBeGreaterThanOrEqual(stored);
});

test("the SQL behind a chart is shown, and runs", async ({ page }) => {
  await page.goto(`${ARTICLE}/services/my-app-01/transactions`);
  await page.locator("#throughput").getByRole("link", { name: "SQL", exact: true }).click();
  await expect(page.locator("#throughput-sql pre").first()).toBeVisible();
  await expect(page.locator("#throughput-sql pre").first()).toContainText("SELECT");
  const text = await page.locator("#throughput-sql pre").first().textContent();
  await page.locator("#throughput-sql").getByRole("link", { name: "Open in SQL" }).first().click();
  await expect(page.locator('textarea[name="sql"]')).toHaveValue(text);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^[\d,]+ rows in /);
  await expect(page.getByRole("table", { name: "Result" }).locator("tbody tr").first()).toBeVisible();
});
