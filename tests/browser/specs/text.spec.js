// Words that would break out of their place stay in it, on every page.
import { VISIT_LIMIT, every, still } from "../support/pages.js";
import { ODD, ODD_TRACE, RTL, odd } from "../support/odd.js";
import { expect, test } from "../support/test.js";

const { STRANGE } = process.env;

// Text that acts on its surroundings, text from right to left that is not isolated, and what stands beyond the window.
function wrong() {
  const found = [],
    rtl = /[\u0590-\u08ff]/,
    acts = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e]/;
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const { currentNode: node } = words,
      parent = node.parentElement;
    if (acts.test(node.data))
      found.push(`acts: ${JSON.stringify(node.data.slice(0, 60))} in ${parent.outerHTML.slice(0, 80)}`);
    if (
      rtl.test(node.data) &&
      parent.localName !== "bdi" &&
      !node.data.includes("\u2068") &&
      parent.localName !== "textarea"
    )
      found.push(`not isolated: ${parent.outerHTML.slice(0, 120)}`);
  }
  for (const one of document.querySelectorAll("[title], [aria-label]"))
    for (const name of ["title", "aria-label"])
      if (acts.test(one.getAttribute(name) ?? "")) found.push(`${name} acts: ${one.outerHTML.slice(0, 120)}`);
  if (document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth) {
    const [widest] = [...document.body.querySelectorAll("*")].sort(
      (a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right,
    );
    found.push(`${document.scrollingElement.scrollWidth} px wide: ${widest.outerHTML.slice(0, 120)}`);
  }
  return { found, isolated: document.querySelectorAll("bdi").length };
}

test("no word turns, colours or widens a page", async ({ page }) => {
  test.setTimeout(VISIT_LIMIT);
  await page.setViewportSize({ width: 1000, height: 800 });
  const found = [];
  let isolated = 0;
  for (const [name, address] of await every(STRANGE, ODD, `trace.id: ${ODD_TRACE}`)) {
    const answer = await page.goto(still(address));
    expect(answer.status(), name).toBe(200);
    const here = await page.evaluate(wrong);
    found.push(...here.found.map((one) => `${name}: ${one}`));
    isolated += here.isolated;
  }
  expect(found).toEqual([]);
  expect(isolated).toBeGreaterThan(50);
});

test("what follows a name from right to left stands to its right", async ({ page }) => {
  await page.goto(`${STRANGE}/traces/${ODD_TRACE}`);
  const heading = page.locator("h1");
  await expect(heading).toContainText(RTL);
  const [name, rest] = await heading.evaluate((h1) => {
    const bdi = h1.querySelector("bdi"),
      range = document.createRange(),
      after = bdi.nextSibling;
    range.selectNodeContents(after);
    return [bdi.getBoundingClientRect().toJSON(), range.getClientRects()[0].toJSON()];
  });
  expect(rest.left).toBeGreaterThanOrEqual(name.right - 1);
  // Each row has its name before its duration, whatever the name is.
  const rows = await page
    .locator("#wf tbody tr")
    .evaluateAll((all) =>
      all.map((row) => [
        row.cells[0].getBoundingClientRect().right,
        row.cells[1].getBoundingClientRect().left,
        row.getBoundingClientRect().height,
      ]),
    );
  for (const [name, duration, height] of rows) {
    expect(name).toBeLessThanOrEqual(duration + 1);
    expect(height).toBe(28);
  }
});

test("rows that arrive on the live page are in order, too", async ({ page, begin }) => {
  const server = await begin(["server"]);
  await page.goto(`${server.pages}/live`);
  await expect(page.locator("[data-live-state]")).toHaveText("Listening.");
  await server.send(odd());
  await expect(page.locator("main table tbody tr bdi").first()).toBeVisible();
  expect((await page.evaluate(wrong)).found).toEqual([]);
});
