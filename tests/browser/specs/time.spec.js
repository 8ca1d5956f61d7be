// The range of time: chosen, typed, mistaken; and the refresh that follows it.
import { api, expect, test } from "../support/test.js";

const { ARTICLE } = process.env;
const button = (page) => page.locator(".header summary").filter({ has: page.locator('use[href$="#i-clock"]') });
const params = (page) => Object.fromEntries(new URL(page.url()).searchParams);

test("a preset applies at once, by mouse and by its number; the choice is marked and stays on other pages", async ({
  page,
}) => {
  await page.goto(`${ARTICLE}/services`);
  await expect(button(page)).toContainText("Last 15 min");
  await button(page).click();
  await page.getByRole("link", { name: /^Last 6 hours/ }).click();
  await expect(page).toHaveURL(/from=now-6h/);
  await expect(button(page)).toContainText("Last 6 hours");
  await button(page).click();
  await expect(page.getByRole("link", { name: /^Last 6 hours/ })).toHaveAttribute("aria-current", "true");
  await page.keyboard.press("3");
  await expect(page).toHaveURL(/from=now-1h/);
  await page.locator(".nav").getByRole("link", { name: "Traces" }).click();
  await expect(page).toHaveURL(/\/traces\?.*from=now-1h/);
  await expect(button(page)).toContainText("Last hour");
});

test("a range is typed, relative or absolute; one that has passed does not refresh by itself", async ({ page }) => {
  await page.goto(`${ARTICLE}/services/my-app-01/transactions`);
  const apply = async (from, to) => {
    await button(page).click();
    await page.getByRole("textbox", { name: "From", exact: true }).fill(from);
    await page.getByRole("textbox", { name: "To", exact: true }).fill(to);
    await page.getByRole("button", { name: "Apply" }).click();
  };
  await apply("now-40m", "now");
  await expect(page).toHaveURL(/from=now-40m/);
  await expect(button(page)).toContainText("40 min");
  await expect(page.locator("body")).toHaveAttribute("data-refresh", "5");
  // Yesterday nothing was there.
  const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  await apply(`${day}T10:00:00Z`, `${day}T10:30:00Z`);
  await expect.poll(() => params(page)).toMatchObject({ from: `${day}T10:00:00Z`, to: `${day}T10:30:00Z` });
  await expect(button(page)).toContainText("10:00");
  await expect(page.locator("main")).toContainText("No transactions");
  await expect(page.locator("body")).not.toHaveAttribute("data-refresh", /./);
  await page.goBack();
  await expect(button(page)).toContainText("40 min");
  await expect(page.getByRole("table", { name: "Transactions by name" })).toContainText("GET /delay");
});

test("a range that makes no sense is refused with what was wrong", async ({ page }) => {
  for (const [query, words] of [
    ["from=someday", "from"],
    ["from=now-1h&to=never", "to"],
    ["from=now&to=now-1h", "from"],
  ]) {
    const answer = await page.goto(`${ARTICLE}/services?${query}`);
    expect(answer.status(), query).toBe(400);
    await expect(page.getByRole("heading", { level: 1 }), query).toContainText("This time range is not valid.");
    await expect(page.locator("p.why"), query).toContainText(words);
  }
});

test("automatic refresh is chosen, paused and taken up again; paused, nothing is asked", async ({ page }) => {
  await page.clock.install();
  await page.goto(`${ARTICLE}/services?refresh=30`);
  let asked = 0;
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/services") asked += 1;
  });
  await expect(page.locator("body")).toHaveAttribute("data-refresh", "30");
  await page.clock.runFor(31_000);
  await expect.poll(() => asked).toBe(1);
  await page.getByRole("link", { name: /^Pause automatic refresh/ }).click();
  await expect(page).toHaveURL(/refresh=0/);
  await expect(page.locator("body")).not.toHaveAttribute("data-refresh", /./);
  asked = 0;
  await page.clock.runFor(120_000);
  expect(asked).toBe(0);
  await button(page).click();
  await page.getByRole("link", { name: "5 s", exact: true }).click();
  await expect(page.locator("body")).toHaveAttribute("data-refresh", "5");
  asked = 0;
  await page.clock.runFor(6_000);
  await expect.poll(() => asked).toBe(1);
});

test("refreshes shift nothing on a page of charts, of a list, of documents", async ({ page }) => {
  await page.clock.install();
  for (const path of ["/services", "/services/my-app-01/transactions", "/queries", "/insights", "/discover"]) {
    await page.goto(`${ARTICLE}${path}?refresh=30`);
    await page.evaluate(() => {
      window.shifted = 0;
      window.watch = new PerformanceObserver((list) => {
        for (const one of list.getEntries()) window.shifted += one.value;
      });
      window.watch.observe({ type: "layout-shift", buffered: false });
    });
    for (let i = 0; i < 3; i++) {
      const old = await page.locator("#main").elementHandle();
      await page.clock.runFor(31_000);
      // It was replaced, and drawn.
      await expect.poll(() => old.evaluate((main) => main.isConnected), path).toBe(false);
    }
    await page.screenshot();
    const shifted = await page.evaluate(() => {
      for (const one of window.watch.takeRecords()) window.shifted += one.value;
      return window.shifted;
    });
    expect(shifted, path).toBeLessThan(0.01);
  }
  // The watch would have seen it.
  await page.evaluate(() => {
    document.querySelector("#main").style.marginTop = "150px";
  });
  await expect.poll(() => page.evaluate(() => window.shifted)).toBeGreaterThan(0.01);
});

test("the first visit is in the browser's zone, and all times of a page turn to UTC and back by the switch", async ({
  browser,
}) => {
  const context = await browser.newContext({ timezoneId: "Asia/Tokyo", viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${ARTICLE}/discover?from=now-1h&refresh=0`);
  await expect(button(page)).toContainText("JST");
  const { hits } = await api(ARTICLE, "discover", { from: "now-1h", size: 50 });
  // The times of the list and the ends of the chart, as hours of a zone.
  const first = page.locator('table[data-table="hits"] td.mono').first();
  const at = (offset) => new Date(Date.parse(hits[0]["@timestamp"]) + offset * 3_600_000).toISOString().slice(11, 13);
  await expect(first).toContainText(new RegExp(`^\\s*${at(9)}:`));
  const hours = () =>
    page
      .locator(".chart-x text")
      .evaluateAll((all) => [...new Set(all.map((one) => one.textContent.slice(0, 2)))].toSorted());
  const tokyo = await hours();
  const choose = async (zone) => {
    await button(page).click();
    await page.getByRole("group", { name: "Time zone" }).getByRole("link", { name: zone }).click();
  };
  await choose("UTC");
  await expect(button(page)).toContainText("UTC");
  await expect(first).toContainText(new RegExp(`^\\s*${at(0)}:`));
  expect(await hours()).toEqual(tokyo.map((hour) => `${(Number(hour) + 15) % 24}`.padStart(2, "0")).toSorted());
  await choose("yours");
  await expect(button(page)).toContainText("JST");
  await expect(first).toContainText(new RegExp(`^\\s*${at(9)}:`));
  // A time that is typed is one of the zone that is shown.
  await button(page).click();
  await page.getByRole("textbox", { name: "From", exact: true }).fill("2026-01-31 12:00");
  await page.getByRole("textbox", { name: "To", exact: true }).fill("2026-01-31 13:00");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(button(page)).toContainText("31 Jan 12:00–31 Jan 13:00 JST");
  await button(page).click();
  const link = await page.getByRole("link", { name: "Copy link to these times" }).getAttribute("href");
  expect(new URL(link, ARTICLE).searchParams.get("from")).toMatch(/^2026-01-31T03:00:00/);
  await context.close();
});

test("a time is chosen in a calendar", async ({ page }) => {
  await page.goto(`${ARTICLE}/services?refresh=0`);
  await button(page).click();
  await page.getByLabel("Calendar: from").fill("2026-01-30T08:15");
  await page.getByLabel("Calendar: to").fill("2026-01-31T09:45");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect.poll(() => params(page)).toMatchObject({ from: "2026-01-30 08:15", to: "2026-01-31 09:45" });
  await expect(button(page)).toContainText("30 Jan 08:15–31 Jan 09:45");
});

test.use({ tolerated: [/status of 400/] });
