// The service map, the flame graph and the log lines: by keyboard, and as things arrive.
import { ask } from "../support/service.js";
import { expect, newest, test } from "../support/test.js";

const { ARTICLE, PLAY, PLAY_SERVICE } = process.env;

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
