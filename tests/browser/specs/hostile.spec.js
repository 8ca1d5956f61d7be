// Text of telemetry stays text, on every page.
import { VISIT_LIMIT, every, wide } from "../support/pages.js";
import { HOSTILE, HOSTILE_TRACE, STRANGER } from "../support/streams.js";
import { expect, test } from "../support/test.js";

const { STRANGE } = process.env;

// Everything in the document that could run or load something which is not ours.
function foreign() {
  const found = [];
  const scripts = [...document.scripts].filter(
    (one) => !(one.src.startsWith(`${location.origin}/assets/`) && one.text === ""),
  );
  for (const one of scripts) found.push(one.outerHTML.slice(0, 200));
  for (const one of document.querySelectorAll("img, iframe, object, embed, base"))
    found.push(one.outerHTML.slice(0, 200));
  for (const one of document.querySelectorAll("*")) {
    for (const { name, value } of one.attributes) {
      if (name.startsWith("on")) found.push(`${name} of ${one.outerHTML.slice(0, 200)}`);
      if (
        ["href", "src", "action", "formaction", "xlink:href"].includes(name) &&
        /^\s*(javascript|data|vbscript):/i.test(value)
      )
        found.push(`${name}=${value.slice(0, 100)}`);
    }
  }
  return found;
}

test("hostile words in every field stay text on every page, in every details and every tab", async ({ page }) => {
  test.setTimeout(VISIT_LIMIT);
  let shown = 0;
  for (const [name, address] of await every(STRANGE, STRANGER, `trace.id: ${HOSTILE_TRACE}`)) {
    const answer = await page.goto(address);
    expect(answer.status(), name).toBe(200);
    await expect(page.locator("h1"), name).toHaveCount(1);
    expect(await page.evaluate(foreign), name).toEqual([]);
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate(wide), `${name}, ${width} px`).toBeNull();
    }
    if ((await page.locator("body").textContent()).includes(HOSTILE.slice(0, 20))) shown += 1;
  }
  // They are not merely gone: they stand there to be read.
  expect(shown).toBeGreaterThan(20);
});

test("they stay text in what a script makes: a chart's tooltip, details that replace others, and a filter", async ({
  page,
}) => {
  await page.goto(`${STRANGE}/traces/${HOSTILE_TRACE}`);
  for (const label of await page.locator("#wf a.label").all()) {
    await label.click();
    await expect(page.locator("#flyout h2")).toContainText("<script>");
    expect(await page.evaluate(foreign)).toEqual([]);
  }
  await page.goto(`${STRANGE}/services/${encodeURIComponent(STRANGER)}/transactions`);
  await page.locator("#throughput .chart-body").hover();
  await expect(page.locator("#throughput .tooltip")).toBeVisible();
  expect(await page.evaluate(foreign)).toEqual([]);
  await page.goto(`${STRANGE}/services`);
  await page.locator("#q").fill(`transaction.name: "${HOSTILE.replaceAll('"', '\\"')}"`);
  await page.locator("#q").press("Enter");
  await expect(page).toHaveURL(/q=/);
  expect(await page.evaluate(foreign)).toEqual([]);
});

test("an address that is hostile itself is answered with text", async ({ page }) => {
  const hostile = encodeURIComponent(HOSTILE);
  for (const address of [
    `/services/${hostile}`,
    `/services/${hostile}/transactions/view?type=${hostile}&name=${hostile}&tab=${hostile}&sample=${hostile}`,
    `/discover?q=${hostile}&group=${hostile}&field=${hostile}&cols=${hostile}&sort=${hostile}`,
    `/services?from=${hostile}&env=${hostile}&cmp=${hostile}`,
    `/sql?sql=${hostile}`,
    `/live?q=${hostile}`,
  ]) {
    await page.goto(STRANGE + address);
    await expect(page.locator("h1"), address).toHaveCount(1);
    expect(await page.evaluate(foreign), address).toEqual([]);
  }
});
test.use({ tolerated: [/status of 4\d\d/] });
