// Without JavaScript: every page is read, and what there is to do is done by links and forms.
import { VISIT_LIMIT, every } from "../support/pages.js";
import { expect, test } from "../support/test.js";

const { ARTICLE } = process.env;
test.use({ javaScriptEnabled: false });

test("every page is readable and leads on", async ({ page }) => {
  test.setTimeout(VISIT_LIMIT);
  for (const [name, address] of await every(ARTICLE, "my-app-01", 'transaction.name: "GET /sql-write"')) {
    const answer = await page.goto(address);
    expect(answer.status(), name).toBe(200);
    await expect(page.locator("h1"), name).toBeVisible();
    expect(await page.locator("nav.nav a:visible").count(), name).toBeGreaterThan(6);
    // Controls that need a script are not offered.
    expect(await page.locator("button:visible:not([type=submit]):not([disabled])").allTextContents(), name).toEqual([]);
  }
});

test("from a service to its transaction, a range of latency, a span, and back, by links and forms alone", async ({
  page,
}) => {
  await page.goto(`${ARTICLE}/services`);
  await page.locator("main").getByRole("link", { name: "my-app-01", exact: true }).first().click();
  await page.locator("main").getByRole("link", { name: "Transactions", exact: true }).first().click();
  await page
    .getByRole("table", { name: "Transactions by name" })
    .getByRole("link", { name: "GET /sql-write", exact: true })
    .click();
  await page.locator('input[name="min_ms"]').fill("0");
  await page.locator('input[name="max_ms"]').fill("60000");
  await page.getByRole("button", { name: "Select" }).click();
  await expect(page).toHaveURL(/max_ms=60000/);
  await page.locator("#wf a.label").filter({ hasText: "INSERT" }).first().click();
  await expect(page.locator("#flyout")).toContainText("INSERT INTO");
  await page.locator("#flyout [data-close]").click();
  await expect(page.locator("#flyout")).toHaveCount(0);
});

test("menus, the range of time, the theme and the data behind a chart need no script", async ({ page }) => {
  await page.goto(`${ARTICLE}/services/my-app-01/transactions`);
  await page.locator(".header summary").filter({ hasText: "Last 15" }).click();
  await page.getByRole("link", { name: /Last hour/ }).click();
  await expect(page).toHaveURL(/from=now-1h/);
  await page.getByRole("link", { name: "Switch theme" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", /dark|light/);
  await page.locator("#throughput").getByRole("link", { name: "View data" }).click();
  await expect(page.locator("#throughput-data table")).toBeVisible();
  await page.locator("#q").fill("transaction.result: HTTP*");
  await page.locator("#q").press("Enter");
  await expect(page).toHaveURL(/q=/);
});

test("a row behind the chart of durations leads to its range, and a view is saved", async ({ page, begin }) => {
  const server = await begin(["server"]);
  await server.send([
    { metadata: { service: { name: "shop", agent: { name: "python", version: "6" } } } },
    ...[1, 2].map((n) => ({
      transaction: {
        id: `a${n}`.padEnd(16, "0"),
        trace_id: `b${n}`.padEnd(32, "0"),
        timestamp: Date.now() * 1000 - n * 200e6,
        duration: 5,
        name: `GET /${n}`,
        type: "request",
        sampled: true,
        span_count: { started: 0 },
      },
    })),
  ]);
  await page.goto(`${server.pages}/traces`);
  await page.locator("#density").getByRole("link", { name: "View data" }).click();
  await expect(page.locator("#density-data tbody tr")).toHaveCount(2);
  await page.locator("#density-data tbody a").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("1 trace began");
  await page.locator("summary", { hasText: "Save view" }).click();
  await page.getByLabel("Title").fill("The first");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("link", { name: "The first" }).click();
  await expect(page).toHaveURL(/\/traces\?from=/);
});
