// Both themes, by the system's choice and by the reader's; and axe-core on every page in each of them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { CROWD } from "../support/crowd.js";
import { every } from "../support/pages.js";
import { expect, test } from "../support/test.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const { ARTICLE, STRANGE } = process.env;

const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const light = (color) =>
  color
    .match(/[\d.]+/g)
    .slice(0, 3)
    .map(Number)
    .reduce((a, b) => a + b) >
  3 * 128;

for (const scheme of ["light", "dark"]) {
  test(`axe-core finds nothing on any page in the ${scheme} theme`, async ({ page }) => {
    test.setTimeout(300_000);
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    const found = [];
    const all = [
      ...(await every(ARTICLE, "my-app-01", 'transaction.name: "GET /sql-write"')),
      ...(await every(STRANGE, CROWD, `service.name: ${CROWD}`)).map(([name, at]) => [`${name}, crowd`, at]),
    ];
    for (const [name, address] of all) {
      await page.goto(address);
      await page.evaluate(AXE);
      const violations = await page.evaluate(
        async () => (await axe.run(document, { resultTypes: ["violations"] })).violations,
      );
      for (const { id, nodes } of violations) {
        const summary = nodes[0].failureSummary?.replaceAll("\n", " ").slice(0, 240);
        found.push(`${name}: ${id} (${nodes.length}): ${nodes[0].html.slice(0, 240)} ${summary}`);
      }
    }
    expect(found).toEqual([]);
  });

  test(`pages follow the system to the ${scheme} theme`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(`${ARTICLE}/services`);
    expect(light(await background(page))).toBe(scheme === "light");
  });
}

test("the switch turns the theme round, and it stays on other pages and after a reload", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(`${ARTICLE}/services`);
  await page.getByRole("link", { name: "Switch theme" }).click();
  await expect.poll(() => background(page).then(light)).toBe(false);
  await page.reload();
  expect(light(await background(page))).toBe(false);
  await page.goto(`${ARTICLE}/queries`);
  expect(light(await background(page))).toBe(false);
  await page.getByRole("link", { name: "Switch theme" }).click();
  await expect.poll(() => background(page).then(light)).toBe(true);
});

test("what the content security policy blocks and what a page loads from elsewhere is noticed", async ({
  page,
  problems,
}) => {
  await page.goto(`${ARTICLE}/services`);
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.head.append(script);
  });
  await expect.poll(() => problems.some((one) => one.includes("CSP: script-src"))).toBe(true);
  expect(await page.evaluate(() => window.ran)).toBeUndefined();
  await page.evaluate(() => {
    location.href = "http://127.0.0.1:9/elsewhere";
  });
  await expect.poll(() => problems.some((one) => one.includes("a request left"))).toBe(true);
  problems.length = 0;
});
