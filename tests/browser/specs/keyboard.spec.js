// Everything can be reached and done by keyboard, and the focus is seen.
import { HOSTILE_SPAN, HOSTILE_TRACE } from "../support/streams.js";
import { expect, newest, test } from "../support/test.js";

const { ARTICLE, STRANGE } = process.env;

// A key does nothing before the script of the waterfall has run.
async function open(page, trace) {
  await page.goto(trace);
  await expect(page.locator("#wf[data-ready]")).toBeVisible();
}
async function write(page) {
  const { trace } = await newest(ARTICLE, 'processor.event: transaction and transaction.name: "GET /sql-write"');
  await open(page, `${ARTICLE}/traces/${trace.id}`);
}
const focused = (page) =>
  page.evaluate(() => ({
    id: document.activeElement.id,
    text: document.activeElement.textContent.trim().slice(0, 60),
    tag: document.activeElement.localName,
  }));

test("the first Tab leads to a link over the navigation, and every further stop is visible and marked", async ({
  page,
}) => {
  await page.goto(`${ARTICLE}/services`);
  await page.keyboard.press("Tab");
  expect((await focused(page)).text).toBe("Skip to content");
  await page.keyboard.press("Enter");
  await expect(page.locator("#main")).toBeFocused();
  await page.goto(`${ARTICLE}/services`);
  const seen = new Set();
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement,
        box = element.getBoundingClientRect(),
        style = getComputedStyle(element);
      return {
        body: element === document.body,
        key: element.outerHTML.slice(0, 120),
        seen: box.width > 0 && box.height > 0,
        marked: style.outlineStyle !== "none" || style.boxShadow !== "none",
      };
    });
    if (stop.body) break;
    expect(stop.seen, stop.key).toBe(true);
    expect(stop.marked, stop.key).toBe(true);
    seen.add(stop.key);
  }
  expect(seen.size).toBeGreaterThan(20);
});

test("a trace: arrows walk its rows, Enter opens the details, Escape closes them and gives the focus back", async ({
  page,
}) => {
  await write(page);
  const rows = page.locator("#wf tbody tr:not([hidden])");
  await rows.first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(rows.nth(1)).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(rows.nth(2)).toBeFocused();
  await expect(rows.nth(2)).toContainText("BEGIN");
  await page.keyboard.press("Enter");
  await expect(page.locator("#flyout h2")).toHaveText("BEGIN");
  await expect(page).toHaveURL(/item=/);
  await expect(rows.nth(2)).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.locator("#flyout")).toHaveCount(0);
  await expect(page).not.toHaveURL(/item=/);
  await expect(rows.nth(2)).toBeFocused();
  await page.keyboard.press("End");
  await expect(rows.last()).toBeFocused();
  await page.keyboard.press("Home");
  await expect(rows.first()).toBeFocused();
});

test("a trace: left folds, right unfolds, * unfolds all", async ({ page }) => {
  await write(page);
  const rows = page.locator("#wf tbody tr:not([hidden])"),
    all = page.locator("#wf tbody tr");
  const count = await all.count();
  await rows.first().focus();
  await page.keyboard.press("ArrowLeft");
  await expect(rows).toHaveCount(1);
  await expect(rows.first()).toHaveAttribute("aria-expanded", "false");
  await page.keyboard.press("ArrowRight");
  await expect(rows.first()).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("*");
  await expect(rows).toHaveCount(count);
});

test("a trace: / finds by name and by duration, e goes to the next failure", async ({ page }) => {
  await write(page);
  await page.locator("#wf tbody tr").first().focus();
  await page.keyboard.press("/");
  await expect(page.locator("#find")).toBeFocused();
  await page.keyboard.type("insert");
  await expect(page.locator("#wf tr.hit")).toHaveCount(6);
  await expect(page.locator("#announce")).toContainText("match");
  await page.locator("#find").fill("> 100 s");
  await expect(page.locator("#wf tr.hit")).toHaveCount(0);
  await open(page, `${STRANGE}/traces/${HOSTILE_TRACE}`);
  await page.locator("#wf tbody tr").first().focus();
  await page.keyboard.press("e");
  await expect(page.locator("#wf tbody tr.failed:focus")).toHaveCount(1);
});

test("everywhere: / goes to the filter, ? lists the keys, g and a letter lead to a page, Escape closes a menu", async ({
  page,
}) => {
  await page.goto(`${ARTICLE}/services?from=now-1h`);
  await page.keyboard.press("/");
  await expect(page.locator("#q")).toBeFocused();
  // The first Escape closes the suggestions, if there are any yet, the second leaves the field.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(page.locator("#q")).not.toBeFocused();
  await page.keyboard.press("?");
  await expect(page.getByText("Rows of a trace")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByText("Rows of a trace")).toBeHidden();
  for (const [key, path] of [
    ["q", "queries"],
    ["t", "traces"],
    ["e", "errors"],
    ["d", "discover"],
    ["s", "services"],
  ]) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    // The range comes along.
    await expect(page).toHaveURL(new RegExp(`/${path}\\?.*from=now-1h`));
    // Its address is there before its script, which hears the next keys.
    await page.waitForLoadState("load");
  }
});

test("a filter that cannot be read is said where it stands", async ({ page }) => {
  await page.goto(`${ARTICLE}/discover`);
  await page.keyboard.press("/");
  await page.keyboard.type("transaction.name: (");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("cannot be read");
  await expect(page.getByRole("link", { name: "Remove the filter" })).toBeVisible();
});

test("a link into a trace opens it at the span, and a menu of the header opens by Enter", async ({ page }) => {
  await page.goto(`${STRANGE}/traces/${HOSTILE_TRACE}?item=${HOSTILE_SPAN}`);
  await expect(page.locator("#flyout")).toBeVisible();
  await expect(page.locator(`#r-${HOSTILE_SPAN}`)).toHaveAttribute("aria-selected", "true");
  const menu = page.locator(".header details.menu summary").first();
  await menu.focus();
  await page.keyboard.press("Enter");
  await expect(page.locator(".header details.menu[open]")).toHaveCount(1);
});
