// Choosing a range of latency on the distribution, by mouse, by keyboard and by numbers; zooming on charts over time.
import { expect, test } from "../support/test.js";

const { ARTICLE } = process.env;
const ADDRESS = `${ARTICLE}/services/my-app-01/transactions/view?type=request&name=${encodeURIComponent("GET /delay")}`;

const chosen = (page) => {
  const { searchParams } = new URL(page.url());
  return ["min_us", "max_us"].map((key) => Number(searchParams.get(key)));
};
const samples = async (page) =>
  Number((await page.locator("#sample .pager .pos").textContent()).match(/of ([\d,]+)/)[1].replace(",", ""));
const bars = (page) =>
  page
    .locator("#distribution rect[data-from]")
    .evaluateAll((all) => all.map((bar) => [Number(bar.dataset.from), Number(bar.dataset.to)]));

// µs of the sample that is shown.
async function shown(page) {
  const text = await page.locator("#wf tbody tr").first().getAttribute("data-us");
  return Number(text);
}

test.beforeEach(async ({ page }) => {
  await page.goto(ADDRESS);
  await page.locator("#distribution .chart-body").scrollIntoViewIfNeeded();
});

test("a drag with the mouse selects a range: it stands in the address, and the samples follow", async ({ page }) => {
  const all = await samples(page);
  const box = await page.locator("#distribution .chart-plot").boundingBox();
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.6, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, y, { steps: 4 });
  await page.mouse.move(box.x + box.width * 0.999, y, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/min_us=\d+&max_us=\d+/);
  const [low, high] = chosen(page);
  expect(low).toBeGreaterThan(0);
  expect(high).toBeGreaterThan(low);
  await expect.poll(() => samples(page)).toBeLessThan(all);
  const us = await shown(page);
  expect(us).toBeGreaterThanOrEqual(low);
  expect(us).toBeLessThanOrEqual(high);
  // The numbers beside the chart say the same.
  await expect(page.locator('input[name="min_ms"]')).not.toHaveValue("");
  await page.getByRole("link", { name: "Clear", exact: true }).click();
  await expect(page).not.toHaveURL(/min_us/);
  await expect.poll(() => samples(page)).toBe(all);
});

test("the keyboard does the same: arrows move by a bar, Shift widens, Escape clears", async ({ page }) => {
  const all = await samples(page),
    edges = await bars(page);
  const filled = edges.length;
  expect(filled).toBeGreaterThan(2);
  await page.locator("#distribution .chart-body").focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => chosen(page)).toEqual([Math.floor(edges[0][0]), Math.ceil(edges[0][1])]);
  // The focus stays, so that the next key is heard.
  await expect(page.locator("#distribution .chart-body")).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => chosen(page)[0]).toBe(Math.floor(edges[1][0]));
  await expect(page.locator("#distribution .chart-body")).toBeFocused();
  await page.keyboard.press("Shift+ArrowRight");
  await expect.poll(() => chosen(page)).toEqual([Math.floor(edges[1][0]), Math.ceil(edges[2][1])]);
  await expect(page.locator("#distribution .chart-body")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page).not.toHaveURL(/min_us/);
  await expect.poll(() => samples(page)).toBe(all);
});

test("two numbers do the same, and the back button undoes one step", async ({ page }) => {
  const all = await samples(page);
  await page.locator('input[name="min_ms"]').fill("100");
  await page.locator('input[name="max_ms"]').fill("5000");
  await page.getByRole("button", { name: "Select" }).click();
  await expect(page).toHaveURL(/min_ms=100/);
  await expect.poll(() => samples(page)).toBeLessThan(all);
  expect(await shown(page)).toBeGreaterThanOrEqual(100_000);
  await page.goBack();
  await expect(page).not.toHaveURL(/min_ms/);
  await expect.poll(() => samples(page)).toBe(all);
});

test("the axis is logarithmic or linear, and both draw every request", async ({ page }) => {
  const log = await bars(page);
  await page.getByRole("link", { name: "linear", exact: true }).click();
  await expect(page).toHaveURL(/scale=linear/);
  const widths = (list) => list.map(([from, to]) => to - from);
  await expect
    .poll(async () => {
      const all = widths(await bars(page));
      return Math.max(...all) - Math.min(...all);
    })
    .toBeLessThan(3);
  const uneven = widths(log);
  expect(Math.max(...uneven)).toBeGreaterThan(2 * Math.min(...uneven));
});

test("one percentile is chosen for the chart of latency, and its scale is logarithmic or linear", async ({ page }) => {
  await page.goto(`${ARTICLE}/services/my-app-01?refresh=0`);
  const chart = page.locator("#latency");
  await chart.locator("details.menu summary").click();
  await chart.getByRole("link", { name: "p75" }).click();
  await expect(page).toHaveURL(/line=p75/);
  await expect(chart.locator("details.menu summary")).toContainText("p75");
  await expect(chart.locator(".chart-right")).toContainText("p75");
  await expect(chart.locator(".chart-right")).not.toContainText("p95");
  const ticks = () => chart.locator(".chart-y text").allTextContents();
  const linear = await ticks();
  await chart.getByRole("group", { name: "Vertical scale" }).getByRole("link", { name: "log" }).click();
  await expect(page).toHaveURL(/axis=log.*/);
  await expect.poll(ticks).not.toEqual(linear);
});

test("a drag on a chart over time zooms the whole page, and zooming out widens it again", async ({ page }) => {
  const box = await page.locator("#throughput .chart-plot").boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.98, box.y + 40, { steps: 5 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=20\d\d-/);
  const range = () => {
    const { searchParams } = new URL(page.url());
    return Date.parse(searchParams.get("to")) - Date.parse(searchParams.get("from"));
  };
  const narrow = range();
  expect(narrow).toBeGreaterThan(0);
  expect(narrow).toBeLessThan(15 * 60e3);
  await page.locator(".header").getByRole("link", { name: "Zoom out" }).first().click();
  await expect.poll(range).toBeGreaterThan(narrow);
});

test("the crosshair stands at the same time in all charts, and says the values of the table behind", async ({
  page,
}) => {
  await page.locator("#throughput .chart-body").hover();
  await expect(page.locator("#throughput .tooltip")).toBeVisible();
  const times = await page.locator(".tooltip > .dim").allTextContents();
  expect(times.length).toBeGreaterThan(1);
  // Charts of requests have shorter buckets than others, which last a minute.
  const seconds = times.map((time) => {
    const [, hours, minutes, rest] = time.match(/(\d\d):(\d\d)(?::(\d\d))?/);
    return (Number(hours) * 60 + Number(minutes)) * 60 + Number(rest ?? 0);
  });
  expect(Math.max(...seconds) - Math.min(...seconds), times.join(" | ")).toBeLessThanOrEqual(60);
});

test("a series goes and comes by its legend, by mouse and by keyboard; the table behind keeps it", async ({ page }) => {
  await page.goto(`${ARTICLE}/services/my-app-01/transactions`);
  const entry = page.locator("#throughput .legend").getByRole("button", { name: /5xx/ });
  await entry.click();
  await expect(entry).toHaveAttribute("aria-pressed", "false");
  await expect(page.locator("#throughput .chart-plot rect.r-5xx").first()).toBeHidden();
  await entry.press("Enter");
  await expect(entry).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator("#throughput .chart-plot rect.r-5xx").first()).toBeVisible();
  await expect(page.locator("#throughput-data table thead")).toContainText("5xx");
});
