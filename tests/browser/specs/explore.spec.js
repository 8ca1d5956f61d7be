// The trace explorer, two traces side by side, what people decide about errors, the SQL console, and the dashboard.
import { expect, newest, test } from "../support/test.js";

const { ARTICLE, STRANGE } = process.env;

test("a drag on the chart of durations selects their time and their length", async ({ page }) => {
  await page.goto(`${ARTICLE}/traces?from=now-1h`);
  const box = await page.locator("#density .chart-plot").boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.99, box.y + box.height * 0.5, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/min_us=\d+&max_us=\d+/);
  const { searchParams } = new URL(page.url());
  expect(Number(searchParams.get("max_us"))).toBeGreaterThan(Number(searchParams.get("min_us")));
  expect(Date.parse(searchParams.get("to"))).toBeGreaterThan(Date.parse(searchParams.get("from")));
  await page.getByRole("link", { name: "Clear", exact: true }).click();
  await expect(page).not.toHaveURL(/min_us/);
});

test("two traces are chosen in the list and stand side by side", async ({ page }) => {
  await page.goto(`${ARTICLE}/traces?from=now-24h&sort=-duration`);
  await page
    .getByRole("link", { name: /^Compare / })
    .first()
    .click();
  await page
    .getByRole("link", { name: /^Compare with / })
    .last()
    .click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/The second trace took|Both traces took/);
  await expect(page.locator('table[data-table="rows"] tbody tr').first()).toBeVisible();
});

test("Ctrl+Enter runs a question, names are completed, and the history stays in the browser", async ({ page }) => {
  await page.goto(`${ARTICLE}/sql`);
  const field = page.locator("#sql");
  await field.fill("SELECT count(*) AS n FROM v_tran");
  await field.press("End");
  await field.pressSequentially("s");
  await expect(page.getByRole("option", { name: "v_transactions" })).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(field).toHaveValue("SELECT count(*) AS n FROM v_transactions");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("1 row in");
  const history = page.locator("#sql-history");
  await expect(history.getByRole("link")).toHaveText(["SELECT count(*) AS n FROM v_transactions"]);
  await history.getByRole("button", { name: "Clear" }).click();
  await expect(history).toBeHidden();
});

test("views of the console show their columns, a click inserts one, the answer is drawn, and a link shares it", async ({
  page,
  context,
}) => {
  await page.goto(`${ARTICLE}/sql`);
  await page.locator(".schema summary").filter({ hasText: "v_transactions" }).click();
  const column = page.locator('.schema details[open] [data-word="duration_ms"]');
  await expect(column).toBeVisible();
  const field = page.locator("#sql");
  await field.fill("SELECT time, ");
  await field.press("End");
  await column.click();
  await expect(field).toHaveValue(/time, duration_ms/);
  await field.press("End");
  await field.pressSequentially(" FROM v_transactions LIMIT 50");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("50 rows in");
  await expect(page.locator("figure.chart svg.chart-plot").first()).toBeVisible();
  // Another reader sees the same by the address.
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.locator("#sql")).toHaveValue(/duration_ms FROM v_transactions/);
  await expect(other.locator('table[data-table="rows"] tbody tr')).toHaveCount(50);
});

test("a chart that is pinned stands on the dashboard until it is removed", async ({ page }) => {
  await page.goto(`${ARTICLE}/services/my-app-01?from=now-24h`);
  await page.getByRole("button", { name: "Pin Latency to the dashboard" }).click();
  await expect(page).toHaveURL(/\/dashboard/);
  await expect(page.locator("figure#pin-0 svg.chart-plot")).toBeVisible();
  await page.getByRole("button", { name: /^Remove Latency/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Nothing is pinned yet.");
});

test("an error is ignored and opened again from its page", async ({ page }) => {
  const error = await newest(STRANGE, "error.grouping_key: *");
  const service = encodeURIComponent(error.service.name);
  const address = `${STRANGE}/services/${service}/errors/${error.error.grouping_key}?from=now-7d`;
  await page.goto(address);
  await page.getByRole("combobox", { name: "Ignore" }).selectOption("week");
  await page.getByRole("button", { name: "Ignore", exact: true }).click();
  await expect(page.locator("main")).toContainText("Ignored until");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.locator("main")).toContainText("Open.");
});

test("all errors of a search are chosen by one box and resolved at once", async ({ page, begin }) => {
  const server = await begin(["server"]);
  const now = Date.now() * 1000 - 10e6;
  const error = (n, type) => ({
    error: { id: `b${n}`.padEnd(32, "0"), timestamp: now + n, culprit: "cart", exception: { type, message: "text" } },
  });
  await server.send([
    { metadata: { service: { name: "shop", agent: { name: "python", version: "6" } } } },
    error(1, "Broken"),
    error(2, "Broken again"),
    error(3, "Other"),
  ]);
  await page.goto(`${server.pages}/errors?search=broken&refresh=0`);
  await expect(page.locator("input.pick")).toHaveCount(2);
  await page.locator("[data-pick-all] input").check();
  await expect(page.locator("[data-picked]")).toHaveText("With 2 chosen:");
  await page.locator("#bulk").getByRole("button", { name: "Resolve" }).click();
  await expect(page).toHaveURL(/\/errors\?search=broken/);
  await page.goto(`${server.pages}/errors?refresh=0`);
  await expect(page.locator("input.pick")).toHaveCount(1);
  await page.goto(`${server.pages}/errors?state=resolved&refresh=0`);
  await expect(page.locator("input.pick")).toHaveCount(2);
});
