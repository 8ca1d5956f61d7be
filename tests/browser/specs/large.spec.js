// A trace of 20 000 spans is used at once: its page is small, its rows come as the reader scrolls, walks by keys or
// searches, and the search reaches all of them. The bounds of time are for a debug build on two cores that others keep
// busy.
import { BIG_FAILED, BIG_NAMED, BIG_SPANS, BIG_TRACE } from "../support/streams.js";
import { expect, test } from "../support/test.js";

const OPENS = 6_000,
  HELD = 1_600,
  BYTES = 300_000;
const { STRANGE } = process.env;

const rows = (page) => page.locator("#wf tbody tr");
const label = (page, name) => page.locator("#wf a.label").filter({ hasText: new RegExp(`^${name}$`) });
const total = (page) => page.evaluate(() => Number(document.querySelector("#wf").getAttribute("aria-rowcount")) - 1);
const height = (page) => page.evaluate(() => document.querySelector("#wf").offsetHeight);
const open = async (page) => {
  const answer = await page.goto(`${STRANGE}/traces/${BIG_TRACE}`);
  await expect(page.locator("#wf[data-ready]")).toBeVisible();
  return answer;
};

test("it can be used soon, and its page is small", async ({ page }) => {
  await page.addInitScript(() => {
    new MutationObserver((_, watch) => {
      if (!document.querySelector("#wf[data-ready]")) return;
      watch.disconnect();
      requestAnimationFrame(() =>
        setTimeout(() => {
          window.usable = performance.now();
        }),
      );
    }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready"] });
  });
  const answer = await open(page);
  await page.waitForFunction(() => window.usable);
  expect(await page.evaluate(() => window.usable)).toBeLessThan(OPENS);
  expect((await answer.body()).length).toBeLessThan(BYTES);
  expect(await total(page)).toBeGreaterThan(BIG_SPANS);
  await expect(page.locator("h1")).toContainText("took 24.0");
});

test("rows come as the reader scrolls, wherever they are, and far ones go again", async ({ page }) => {
  test.setTimeout(60_000);
  await open(page);
  const before = await height(page),
    all = await total(page);
  expect(before).toBeGreaterThan(all * 28);
  for (const share of [0.5, 0.1, 0.9, 1, 0.3, 0.31, 0.32, 0]) {
    await page.evaluate((share) => {
      const box = document.querySelector("#wf").getBoundingClientRect();
      scrollTo(0, scrollY + box.top + box.height * share - innerHeight / 2);
    }, share);
    // The row in the middle of the window is there, and it is the one of that place.
    const place = Math.min(all - 1, Math.floor(all * share));
    await expect
      .poll(
        () =>
          page.evaluate((place) => {
            const near = [...document.querySelectorAll("#wf tbody tr")].filter((row) => {
              const box = row.getBoundingClientRect();
              return box.bottom > 0 && box.top < innerHeight;
            });
            return near.length > 3 && near.some((row) => Math.abs(Number(row.dataset.row) - place) < 40);
          }, place),
        { timeout: 15_000 },
      )
      .toBe(true);
    expect(await rows(page).count()).toBeLessThan(HELD);
  }
  expect(await height(page)).toBe(before);
});

test("a click on any row shows its details, with the row beside them", async ({ page }) => {
  await open(page);
  for (const n of [BIG_NAMED - 1, 7]) {
    await page.locator("#find").fill(`step ${n}`);
    await expect(page.locator("#wf tr.here")).toHaveText(new RegExp(`step ${n}`));
    await label(page, `step ${n}`).click();
    await expect(page.locator("#flyout h2")).toHaveText(`step ${n}`);
    await expect(page.locator('#wf tr[aria-selected="true"]')).toHaveText(new RegExp(`step ${n}`));
    await expect(page.locator('#wf tr[aria-selected="true"]')).toBeInViewport();
  }
  // The address leads to the same row, which is not one of the first.
  await page.goto(`${STRANGE}/traces/${BIG_TRACE}?item=${(0xb000000 + 15_000).toString(16).padStart(16, "0")}`);
  await expect(page.locator('#wf tr[aria-selected="true"]')).toBeInViewport();
  await expect(page.locator("#flyout h2")).toHaveText("tock");
});

test("a search reaches what is not there yet, and goes to the next and the previous hit", async ({ page }) => {
  await open(page);
  await page.locator("#find").fill("tick");
  const here = page.locator("#wf tr.here");
  await expect(page.locator("#hits")).toHaveText(/^1 of 8,000/);
  await expect(here).toBeInViewport();
  const first = await here.getAttribute("data-row");
  await page.locator("#find").press("Enter");
  await expect(page.locator("#hits")).toHaveText(/^2 of/);
  await expect.poll(() => here.getAttribute("data-row")).not.toBe(first);
  await page.locator("#find").press("Shift+Enter");
  await page.locator("#find").press("Shift+Enter");
  await expect(page.locator("#hits")).toHaveText(/^8,000 of/);
  await expect(here).toBeInViewport();
  await page.locator("#find").fill("no such name");
  await expect(page.locator("#hits")).toHaveText("no match");
  await page.locator("#find").fill("");
  await expect(page.locator("#wf tr.hit")).toHaveCount(0);
  await open(page);
  await rows(page).first().press("e");
  const failed = page.locator("#wf tbody tr.failed:focus");
  await expect(failed).toHaveCount(1);
  await expect(failed).toBeInViewport();
  expect(Number(await failed.getAttribute("data-row"))).toBeGreaterThanOrEqual(BIG_FAILED);
});

test("keys reach the ends, and fold and unfold without losing the row", async ({ page }) => {
  await open(page);
  const all = await total(page);
  await rows(page).first().focus();
  await page.keyboard.press("End");
  await expect(page.locator(`#wf tr[data-row="${all - 1}"]`)).toBeFocused();
  await expect(page.locator(`#wf tr[data-row="${all - 1}"]`)).toBeInViewport();
  await page.keyboard.press("ArrowUp");
  await expect(page.locator(`#wf tr[data-row="${all - 2}"]`)).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator('#wf tr[data-row="0"]')).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await expect(rows(page)).toHaveCount(1);
  expect(await height(page)).toBeLessThan(100);
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => total(page)).toBe(all);
  await expect(page.locator('#wf tr[data-row="0"]')).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(page.locator('#wf tr[data-row="1"]')).toBeFocused();
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("links lead through all rows, and a form searches them", async ({ page }) => {
    await page.goto(`${STRANGE}/traces/${BIG_TRACE}`);
    const pager = page.getByRole("group", { name: "Rows" });
    await expect(pager).toContainText("1–");
    const first = await rows(page).nth(3).getAttribute("id");
    await pager.getByRole("link", { name: "Next" }).click();
    await expect(rows(page).nth(3)).not.toHaveAttribute("id", first);
    await pager.getByRole("link", { name: "Last" }).click();
    await expect(rows(page).last().locator("a.label")).toHaveText("tick");
    await page.locator("#find").fill("step 3999");
    await page.locator("#find").press("Enter");
    await expect(page.locator("#hits")).toHaveText("1 of 1");
    await expect(page.locator("#wf tr.here")).toHaveText(/step 3999/);
    // A fold is a link, too.
    await page.goto(`${STRANGE}/traces/${BIG_TRACE}`);
    await page.locator("#wf a.twisty").first().click();
    await expect(rows(page)).toHaveCount(1);
    await page.locator("#wf a.twisty").first().click();
    await expect.poll(() => rows(page).count()).toBeGreaterThan(50);
  });
});
