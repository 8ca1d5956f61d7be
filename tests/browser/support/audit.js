// axe-core on a page, in both themes.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// In the page: what the rules find.
async function run(rules) {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...rules });
  return violations.map(({ id, nodes }) => {
    const summary = nodes[0].failureSummary?.replaceAll("\n", " ").slice(0, 240);
    return `${id} (${nodes.length}): ${nodes[0].html.slice(0, 240)} ${summary}`;
  });
}

// All violations. All rules look at the whole page once. A theme changes colours alone, so contrast is what both themes
// are searched for. It takes by far the longest, and a list of 300 rows has its colours in the first 40: the others go.
export async function audit(page) {
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.evaluate(AXE);
  const found = await page.evaluate(run, { rules: { "color-contrast": { enabled: false } } });
  await page.evaluate(() => {
    for (const row of document.querySelectorAll("tbody tr:nth-child(n + 41)")) row.remove();
  });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const poor = await page.evaluate(run, { runOnly: ["color-contrast"] });
    found.push(...poor.map((one) => `${colorScheme}: ${one}`));
  }
  return found;
}
