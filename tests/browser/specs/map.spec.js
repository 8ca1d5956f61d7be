// The service map, the flame graph and the log lines: by keyboard, and as things arrive.
import { ask } from "../support/service.js";
import { BIG_SPANS, BIG_TRACE } from "../support/streams.js";
import { expect, newest, test } from "../support/test.js";

const { ARTICLE, PLAY, PLAY_SERVICE, STRANGE } = process.env;

test("the map is walked by Tab, and Enter leads to a service and from there to its overview", async ({ page }) => {
  await page.goto(`${ARTICLE}/map?refresh=0`);
  const node = page.getByRole("link", { name: /^my-app-01: / });
  await node.focus();
  await expect(node).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/services\/my-app-01\/map/);
  await page.getByRole("link", { name: /^my-app-01: / }).focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/services\/my-app-01(\?|$)/);
});

test("arrows walk the flame graph, and Enter fills the width with a bar", async ({ page }) => {
  const { trace } = await newest(ARTICLE, 'processor.event: transaction and transaction.name: "GET /sql-write"');
  await page.goto(`${ARTICLE}/traces/${trace.id}?tab=flame`);
  const bars = page.locator("svg[data-flame] > a");
  await bars.first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(bars.first()).not.toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(bars.first()).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/item=/);
  await expect(page.getByRole("navigation", { name: "Callers" })).toContainText("Whole trace");
  await expect(page.locator("#flyout")).toBeVisible();
});

test("a slice of the minimap leads to the rows of its time", async ({ page }) => {
  await page.goto(`${STRANGE}/traces/${BIG_TRACE}`);
  await expect(page.locator("#wf[data-ready]")).toBeVisible();
  const slices = page.locator("svg.minimap a");
  expect(await slices.count()).toBeGreaterThan(10);
  await slices.nth(12).click();
  await expect(page.locator("#wf[data-ready]")).toBeVisible();
  // The rows that are seen are from the middle of the trace.
  const first = async () => {
    const rows = page.locator("#wf tbody tr");
    const seen = await rows.evaluateAll((all) =>
      all
        .filter((row) => {
          const { top, bottom } = row.getBoundingClientRect();
          return bottom > 0 && top < innerHeight;
        })
        .map((row) => Number(row.dataset.row)),
    );
    return seen[0] / BIG_SPANS;
  };
  await expect.poll(first).toBeGreaterThan(0.4);
  expect(await first()).toBeLessThan(0.6);
});

test("the live tail shows lines as they arrive", async ({ page }) => {
  await page.goto(`${PLAY}/logs?tail=1`);
  await expect(page.locator("[data-live-state]")).toHaveText("Listening.");
  const line = { log: { message: "a line\nof two", "log.level": "ERROR" } };
  const metadata = { metadata: { service: { name: "tail", agent: { name: "test", version: "1" } } } };
  await ask(`${PLAY}/intake/v2/events`, {
    method: "POST",
    headers: { "Content-Type": "application/x-ndjson" },
    body: `${JSON.stringify(metadata)}\n${JSON.stringify(line)}\n`,
  });
  await expect(page.locator(".lines-list .message").first()).toHaveText("a line\nof two", { useInnerText: true });
  await ask(`${PLAY_SERVICE}/`);
  await expect(page.locator(".lines-list .message")).not.toHaveCount(0);
});
