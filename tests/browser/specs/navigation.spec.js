// The address says what is shown: the back button, a copied link, refreshes that move nothing.
import { VISIT_LIMIT, every, still } from "../support/pages.js";
import { expect, newest, test } from "../support/test.js";

const { ARTICLE } = process.env;

test("the back button undoes one step after another: span, tab, sample, sort", async ({ page }) => {
  await page.goto(`${ARTICLE}/services/my-app-01/transactions`);
  await page.getByRole("columnheader", { name: "Avg" }).getByRole("link").click();
  await expect(page).toHaveURL(/sort=-avg/);
  await page
    .getByRole("table", { name: "Transactions by name" })
    .getByRole("link", { name: "GET /sql-write", exact: true })
    .click();
  const position = page.locator("#sample .pager .pos");
  await expect(position).toHaveText(/^1 of/);
  await page.locator("#sample .pager").getByRole("link", { name: "Next" }).click();
  await expect(position).toHaveText(/^2 of/);
  await page.locator("#sample").getByRole("link", { name: "Statistics" }).click();
  await expect(page).toHaveURL(/tab=statistics/);
  await page.goBack();
  await expect(page.locator("#wf")).toBeVisible();
  await page.locator("#wf a.label").filter({ hasText: "COMMIT" }).click();
  await expect(page.locator("#flyout h2")).toHaveText("COMMIT");
  await page.goBack();
  await expect(page.locator("#flyout")).toHaveCount(0);
  await expect(position).toHaveText(/^2 of/);
  await page.goBack();
  await expect(position).toHaveText(/^1 of/);
  await page.goBack();
  await expect(page).toHaveURL(/sort=-avg/);
  await expect(page.getByRole("columnheader", { name: "Avg" })).toHaveAttribute("aria-sort", "descending");
  await page.goForward();
  await expect(position).toHaveText(/^1 of/);
});

test("a copied address shows the same: range, sample, span and its details", async ({ page, context }) => {
  const { trace } = await newest(ARTICLE, 'processor.event: transaction and transaction.name: "GET /sql-group"');
  await page.goto(`${ARTICLE}/traces/${trace.id}?from=now-1h`);
  await page.locator("#wf a.label").filter({ hasText: "SELECT FROM people" }).click();
  await expect(page.locator("#flyout")).toBeVisible();
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.locator("#flyout h2")).toHaveText("SELECT FROM people");
  await expect(other.locator(".header")).toContainText("Last hour");
});

test("a refresh moves nothing that is on the screen, keeps the focus and what is open", async ({ page }) => {
  test.setTimeout(45_000);
  await page.goto(`${ARTICLE}/services/my-app-01?refresh=5`);
  const link = page.locator("main").getByRole("link", { name: "Transactions", exact: true }).first();
  await link.focus();
  await page.evaluate(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const one of list.getEntries())
        window.shifts.push({
          value: one.value,
          what: one.sources.map((source) => source.node?.outerHTML?.slice(0, 120) ?? source.node?.textContent),
        });
    }).observe({ type: "layout-shift", buffered: false });
    window.mark = document.querySelector("#main");
  });
  const answered = () => page.waitForResponse((answer) => answer.url().includes("/services/my-app-01"));
  await answered();
  // The main part is another element now: it was refreshed, not merely looked at.
  await page.waitForFunction(() => document.querySelector("#main") !== window.mark);
  await answered();
  await page.waitForFunction(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(true)))),
  );
  expect(await page.evaluate(() => window.shifts)).toEqual([]);
  await expect(link).toBeFocused();
});

test("the pause stops refreshing, and is in the address", async ({ page }) => {
  await page.goto(`${ARTICLE}/services`);
  await expect(page.locator("body")).toHaveAttribute("data-refresh", "5");
  await page.locator("[data-pause]").click();
  await expect(page).toHaveURL(/refresh=0/);
  await expect(page.locator("body")).not.toHaveAttribute("data-refresh", /./);
});

test("nothing there: a page that does not exist and a service that nobody knows say so, and lead on", async ({
  page,
}) => {
  expect((await page.goto(`${ARTICLE}/no-such-page`)).status()).toBe(404);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("does not exist");
  await page
    .locator("main")
    .getByRole("link", { name: /Services/ })
    .click();
  await expect(page).toHaveURL(/\/services/);
  await page.goto(`${ARTICLE}/services/nobody/transactions`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("nobody");
});

test("the first load of any page stays below 80 KB, and asks for nothing that is not from here", async ({
  page,
  problems,
}) => {
  test.setTimeout(VISIT_LIMIT);
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  // Each load is a first one.
  await client.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0,
    shown = "",
    asked = new Map();
  // The tab's own picture comes when the browser likes; a stream does not end.
  client.on("Network.requestWillBeSent", ({ requestId, type, request, documentURL }) => {
    // A page that is left may still have asked for something.
    if (documentURL !== shown) return;
    if (type !== "EventSource" && !request.url.endsWith("/favicon.svg")) asked.set(requestId, request.url);
  });
  client.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    bytes += encodedDataLength;
    asked.delete(requestId);
  });
  const loads = [];
  for (const [name, address] of await every(ARTICLE, "my-app-01", 'transaction.name: "GET /sql-write"')) {
    bytes = 0;
    asked = new Map();
    shown = new URL(still(address)).href;
    await page.goto(shown);
    // A module that is there asks for the next one: nothing is open twice in a row.
    let quiet = 0;
    await expect.poll(() => (quiet = asked.size ? 0 : quiet + 1), name).toBeGreaterThan(1);
    loads.push([name, bytes]);
  }
  expect(loads.filter(([, size]) => size >= 80_000)).toEqual([]);
  // The page, its style, its script and its icons were counted.
  expect(loads.filter(([, size]) => size < 15_000)).toEqual([]);
  // See test.js for what notices a request that leaves.
  expect(problems).toEqual([]);
});

test.use({ tolerated: [/status of 404/] });

test("a chosen service stays chosen from page to page, and all of them come back by the selector", async ({ page }) => {
  const selector = page.locator("header details.menu").first();
  await page.goto(`${ARTICLE}/errors`);
  await selector.locator("summary").click();
  await selector.getByRole("link", { name: "my-app-01" }).click();
  await expect(page).toHaveURL(/[?&]service=my-app-01/);
  for (const name of [
    "Traces",
    "Queries",
    "Insights",
    "Dependencies",
    "Compare",
    "Discover",
    "Live",
    "SQL",
    "Settings",
  ]) {
    const link = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true });
    await link.click();
    await expect(link).toHaveAttribute("aria-current", /./);
    await expect(page).toHaveURL(/[?&]service=my-app-01/);
    await expect(selector.locator("summary")).toContainText("my-app-01");
  }
  await selector.locator("summary").click();
  await selector.getByRole("link", { name: "All services" }).click();
  await expect(page).not.toHaveURL(/service=/);
});
