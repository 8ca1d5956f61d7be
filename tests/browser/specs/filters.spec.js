// Filters that hold: several services over many pages, any field on an overview, Discover under traffic, charts that
// zoom and rescale, lists of hundreds of rows, times as they are said.
import { audit } from "../support/audit.js";
import { expect, test } from "../support/test.js";

const METADATA = (name) => ({
  metadata: { service: { name, environment: "test", agent: { name: "rust", version: "1" } } },
});
const hex = (number, length) => number.toString(16).padStart(length, "0");

function request(number, name, { ago = 0, plan = "free", result = "HTTP 2xx" } = {}) {
  return {
    transaction: {
      id: hex(number, 16),
      trace_id: hex(number, 32),
      name,
      type: "request",
      duration: 5 + (number % 40),
      timestamp: (Date.now() - ago) * 1000,
      result,
      outcome: result === "HTTP 5xx" ? "failure" : "success",
      span_count: { started: 0 },
      context: { tags: { plan } },
    },
  };
}

// A server with three services of a hundred requests each.
async function filled(begin) {
  const server = await begin(["server"]);
  for (const [at, name] of ["alpha", "beta", "gamma"].entries()) {
    const own = (i) =>
      request(1000 * (at + 1) + i, `GET /${name}/${i % 3}`, {
        // The last bucket is not over: a single request there is as many a minute as ten elsewhere.
        ago: 15_000 + i * 2_000,
        plan: i % 4 ? "free" : "pro",
        result: i % 10 ? "HTTP 2xx" : "HTTP 5xx",
      });
    await server.send([METADATA(name), ...Array.from({ length: 100 }, (_, i) => own(i))]);
  }
  await server.stored("processor.event: transaction", 300);
  return server;
}

const menu = (page) => page.locator("header details.menu").first();

test("several services are chosen by type-ahead and form, and hold through the navigation", async ({ page, begin }) => {
  const { pages } = await filled(begin);
  await page.goto(`${pages}/services?refresh=0`);
  await menu(page).locator("summary").click();
  await menu(page).getByRole("checkbox", { name: "alpha", exact: true }).check();
  await menu(page).getByRole("checkbox", { name: "gamma", exact: true }).check();
  await menu(page).getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(/service=alpha&service=gamma/);
  await expect(menu(page).locator("summary")).toContainText("2 services");
  for (const section of ["Traces", "Queries", "Discover", "Services"]) {
    const link = page.locator(".nav").getByRole("link", { name: section });
    await link.click();
    await expect(link).toHaveAttribute("aria-current", /./);
    await expect(page).toHaveURL(/service=alpha&service=gamma/);
    await expect(page.locator("main")).not.toContainText("beta");
  }
  await expect(page.getByRole("rowheader", { name: /^alpha/ })).toBeVisible();
  // All but one.
  await menu(page).locator("summary").click();
  await menu(page).getByRole("link", { name: "All services" }).click();
  await expect(page).not.toHaveURL(/service=/);
  await menu(page).locator("summary").click();
  await menu(page).locator('input[name="not_service"][value="alpha"]').check();
  await menu(page).getByRole("button", { name: "Apply" }).click();
  await expect(menu(page).locator("summary")).toContainText("All but alpha");
  await expect(page.getByRole("rowheader", { name: /^beta/ })).toBeVisible();
  await expect(page.getByRole("rowheader", { name: /^alpha/ })).toHaveCount(0);
});

test("an overview is filtered by a label, and says what it was counted from", async ({ page, begin }) => {
  const { pages } = await filled(begin);
  await page.goto(`${pages}/services/alpha?refresh=0&q=${encodeURIComponent("labels.plan: pro")}`);
  await expect(page.locator(".scan-note")).toContainText("Counted from 25 requests that match the filter");
  await expect(page.locator("main")).toContainText("GET /alpha/");
});

test("Discover under 20 events a second: a row opens where it was clicked, and the list holds still", async ({
  page,
  begin,
}) => {
  const server = await filled(begin);
  await page.goto(`${server.pages}/discover?refresh=0`);
  const rows = page.locator('table[data-table="hits"] > tbody > tr:not(.detail)');
  const before = await rows.evaluateAll((all) => all.map((row) => row.id));
  let number = 100_000,
    running = true;
  const traffic = (async () => {
    while (running) {
      await server.send([METADATA("alpha"), request(number++, "GET /new"), request(number++, "GET /new")]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  const row = rows.nth(7);
  const { y } = await row.boundingBox();
  await row.getByRole("link").first().click();
  await expect(page.locator("tr.detail")).toHaveCount(1);
  await expect(row.getByRole("link").first()).toHaveAttribute("aria-expanded", "true");
  expect((await row.boundingBox()).y).toBe(y);
  expect(await row.evaluate((one) => one.nextElementSibling.className)).toBe("detail");
  await expect(page.locator("[data-newer]")).toContainText(/\d+ new documents/, { timeout: 15_000 });
  expect(await rows.evaluateAll((all) => all.map((one) => one.id))).toEqual(before);
  // The address shows the same list to others.
  await page.reload();
  await expect(page.locator("tr.detail")).toHaveCount(1);
  expect(await rows.evaluateAll((all) => all.map((one) => one.id))).toEqual(before);
  running = false;
  await traffic;
  await page.locator("[data-newer]").getByRole("link").click();
  await expect(rows.first()).toContainText("GET /new");
});

test("columns of Discover are moved by their arrows and by dragging", async ({ page, begin }) => {
  const { pages } = await filled(begin);
  await page.goto(`${pages}/discover?refresh=0&cols=service.name,transaction.name,transaction.result`);
  const heads = () => page.locator("th[data-column]").evaluateAll((all) => all.map((one) => one.dataset.column));
  await page.getByRole("link", { name: "Move right: service.name" }).focus();
  await page.keyboard.press("Enter");
  await expect.poll(heads).toEqual(["transaction.name", "service.name", "transaction.result"]);
  await page.locator('th[data-column="transaction.result"]').dragTo(page.locator('th[data-column="transaction.name"]'));
  await expect.poll(heads).toEqual(["transaction.result", "transaction.name", "service.name"]);
});

test("a click on a bar zooms in; hiding a series draws the rest on a scale of its own", async ({ page, begin }) => {
  const { pages } = await filled(begin);
  await page.goto(`${pages}/services/alpha?refresh=0&from=now-5m`);
  const chart = page.locator("#throughput");
  const tallest = () =>
    chart.locator("rect.bar:not(.off)").evaluateAll((all) => Math.max(...all.map((one) => one.height.baseVal.value)));
  const before = await tallest();
  await chart.getByRole("button", { name: /2xx/ }).click();
  await expect(chart.getByRole("button", { name: /2xx/ })).toHaveAttribute("aria-pressed", "false");
  // One failed request of ten is as tall as the axis now.
  await expect.poll(tallest).toBeGreaterThan(before / 2);
  const top = await chart.locator(".chart-y text").last().textContent();
  await chart.getByRole("button", { name: /2xx/ }).focus();
  await page.keyboard.press("Enter");
  await expect.poll(async () => chart.locator(".chart-y text").last().textContent()).not.toBe(top);
  expect(Math.abs((await tallest()) - before)).toBeLessThan(1e-6);
  await chart.locator("rect.bar.r-2xx").nth(3).click();
  await expect(page).toHaveURL(/from=\d{4}-.*to=\d{4}-/);
});

test("a list of 300 rows has a search, columns and compact rows, without violations in any width", async ({
  page,
  begin,
}) => {
  // Three searches for violations, each of some seconds on a busy machine.
  test.setTimeout(180_000);
  const server = await begin(["server"]);
  const all = Array.from({ length: 300 }, (_, i) => request(i + 1, `GET /${i % 10 ? "item" : "cart"}/${i}`));
  await server.send([METADATA("shop"), ...all]);
  await server.stored("processor.event: transaction", 300);
  const list = `${server.pages}/services/shop/transactions?refresh=0`;
  await page.goto(list);
  await page.getByRole("searchbox", { name: "Search in this table" }).fill("CART");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/search=CART/);
  await expect(page.locator('table[data-table="transactions"] tbody tr')).toHaveCount(30);
  await page.getByText("Columns").click();
  await page.getByRole("link", { name: "Hide Failed" }).click();
  await expect(page.getByRole("columnheader", { name: "Failed" })).toBeHidden();
  const height = () =>
    page
      .locator('table[data-table="transactions"] tbody tr')
      .first()
      .evaluate((row) => row.getBoundingClientRect().height);
  const usual = await height();
  await page.getByRole("link", { name: "Compact rows" }).click();
  await expect.poll(height).toBeLessThan(usual);
  for (const width of [1440, 900, 390]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto(list);
    const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
    expect(wide, `${width} px`).toBeLessThanOrEqual(0);
    await menu(page).locator("summary").click();
    expect(await audit(page), `${width} px`).toEqual([]);
  }
});

test("times are typed as they are said, and a link keeps what is shown", async ({ page, begin }) => {
  const { pages } = await filled(begin);
  await page.goto(`${pages}/services?refresh=0`);
  const button = page.locator(".header summary").filter({ has: page.locator('use[href$="#i-clock"]') });
  await button.click();
  await page.getByRole("textbox", { name: "From", exact: true }).fill("yesterday 18:00");
  await page.getByRole("textbox", { name: "To", exact: true }).fill("now");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(/from=yesterday\+18/);
  await expect(button).toContainText("18:00");
  await expect(page.getByRole("rowheader", { name: /^alpha/ })).toBeVisible();
  await button.click();
  const link = await page.getByRole("link", { name: "Copy link to these times" }).getAttribute("href");
  expect(link).toMatch(/from=\d{4}-\d\d-\d\dT.*to=\d{4}-\d\d-\d\dT/);
});
