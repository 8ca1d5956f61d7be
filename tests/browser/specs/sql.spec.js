// Statements, insights, what an index would change, and the SQL console.
import { ask, until } from "../support/service.js";
import { api, expect, test } from "../support/test.js";

const { ARTICLE, PLAY, STRANGE } = process.env;
const insights = (pages) => until("insights", () => api(pages, "insights"), ({ insights }) => insights.some(({ kind }) => kind === "repeat"));

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
  // Who runs it: the route that writes, five times in each request.
  const caller = page.getByRole("table", { name: /Requests that run/ }).getByRole("row").filter({ hasText: "GET /sql-write" });
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
  await page.getByRole("textbox", { name: "What if there were this index?" }).fill("CREATE INDEX people_city ON people (city)");
  await page.getByRole("button", { name: "Try" }).click();
  await expect(page).toHaveURL(/index=/);
  await expect(page.locator("ul.plan").nth(1)).toContainText(/USING COVERING INDEX/);
  await expect(page.locator("ul.plan").nth(1)).toContainText("people_city");
  // What is no index is refused with a reason, and nothing was written.
  await page.getByRole("textbox", { name: "What if there were this index?" }).fill("DROP TABLE people");
  await page.getByRole("button", { name: "Try" }).click();
  await expect(page.getByRole("alert").filter({ hasText: /./ }).last()).toBeVisible();
  expect((await ask(`${process.env.ARTICLE_SERVICE}/sql-group`)).status).toBe(200);
  expect((await api(ARTICLE, "queries")).statements.length).toBe(before);
});

test("growth: points, the line and what it means are on the statement's page", async ({ page }) => {
  const { statements } = await api(STRANGE, "queries", { service: "shop", from: "now-3h" });
  await page.goto(`${STRANGE}/queries/${statements[0].fingerprint}?service=shop&from=now-3h`);
  expect(await page.locator("#growth-0 circle.pt").count()).toBeGreaterThan(20);
  await expect(page.locator("#growth-0")).toContainText(/rows/);
  await expect(page.locator("main")).toContainText(/people/);
});

test("insights: the repeated INSERT is found unasked, with its evidence; it can be dismissed and shown again", async ({ page }) => {
  await insights(PLAY);
  await page.goto(`${PLAY}/insights?refresh=0`);
  const panel = (name) => page.locator("section.panel").filter({ has: page.getByRole("heading", { name, exact: true }) });
  const finding = panel("Open").locator("ul.findings > li").filter({ hasText: /INSERT INTO people 5×/ });
  await expect(finding).toHaveCount(1);
  await expect(finding.getByRole("link", { name: "A trace that shows it" })).toHaveAttribute("href", /\/traces\/[0-9a-f]{32}/);
  await finding.getByRole("button", { name: "Dismiss" }).click();
  await expect(finding).toHaveCount(0);
  const gone = panel("Dismissed").locator("ul.findings > li").filter({ hasText: /INSERT INTO people 5×/ });
  await expect(gone).toHaveCount(1);
  await gone.getByRole("button", { name: "Show again" }).click();
  await expect(finding).toHaveCount(1);
  await finding.getByRole("link", { name: "A trace that shows it" }).click();
  await expect(page.locator("#wf")).toContainText("INSERT INTO people");
});

test("the console: an example runs, a statement of ours too, and CSV is the same rows", async ({ page }) => {
  await page.goto(`${ARTICLE}/sql`);
  await page.getByRole("link", { name: "Slowest requests" }).click();
  await expect(page.getByRole("table", { name: "Result" })).toContainText("GET /delay");
  await page.locator('textarea[name="sql"]').fill("SELECT name, count(*) AS n FROM v_transactions WHERE name = 'GET /5xx' GROUP BY name");
  await page.getByRole("button", { name: "Run" }).click();
  const result = page.getByRole("table", { name: "Result" });
  await expect(result.locator("tbody tr")).toHaveCount(1);
  await expect(result.locator("tbody tr")).toContainText("GET /5xx");
  await expect(result.locator("tbody tr")).toContainText("3");
  const csv = await page.request.get(ARTICLE + await page.getByRole("link", { name: "CSV" }).getAttribute("href"));
  expect(await csv.text()).toMatch(/name,n\r?\nGET \/5xx,3/);
});

test("the console refuses what is not one reading statement, with the reason", async ({ page }) => {
  for (const text of ["DELETE FROM tx", "ATTACH 'other.db' AS other", "PRAGMA journal_mode = DELETE", "SELECT 1; SELECT 2", "SELECT nothing FROM v_spans", "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"]) {
    await page.goto(`${ARTICLE}/sql?sql=${encodeURIComponent(text)}`);
    await expect(page.getByRole("heading", { level: 1 }), text).toContainText("not run");
    expect((await page.locator("p.why").textContent()).length, text).toBeGreaterThan(10);
  }
});

test("the SQL behind a chart is shown, and runs", async ({ page }) => {
  await page.goto(`${ARTICLE}/services/my-app-01/transactions`);
  await page.locator("#throughput").getByRole("link", { name: "SQL", exact: true }).click();
  await expect(page.locator("#throughput-sql pre")).toBeVisible();
  await expect(page.locator("#throughput-sql pre")).toContainText("SELECT");
  const text = await page.locator("#throughput-sql pre").textContent();
  await page.locator("#throughput-sql").getByRole("link", { name: "Open in SQL" }).click();
  await expect(page.locator('textarea[name="sql"]')).toHaveValue(text);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^[\d,]+ rows in /);
  await expect(page.getByRole("table", { name: "Result" }).locator("tbody tr").first()).toBeVisible();
});
