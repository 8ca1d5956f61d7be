// Every column of every list sorts it.
import { CROWD } from "../support/crowd.js";
import { still } from "../support/pages.js";
import { expect, test } from "../support/test.js";

const { STRANGE } = process.env;

const LISTS = ["services", "transactions", "errors", "dependencies", "instances", "versions", "statements"];
const PATHS = {
  services: "/services",
  transactions: `/services/${CROWD}/transactions`,
  errors: `/services/${CROWD}/errors`,
  dependencies: `/services/${CROWD}/dependencies`,
  instances: `/services/${CROWD}/instances`,
  versions: `/services/${CROWD}/versions`,
  statements: `/queries?service=${CROWD}`,
};

// The figures of a column, from its cells: null for a dash and for words that say why there is none.
function figures([table, column]) {
  const UNITS = { µs: 1, ms: 1e3, s: 1e6, min: 6e7, h: 36e8, B: 1, kB: 1e3, MB: 1e6, GB: 1e9, k: 1e3, M: 1e6 };
  return [...document.querySelector(`table[data-table="${table}"]`).tBodies[0].rows].map((row) => {
    const text = row.cells[column].textContent.replaceAll(/[\s\u202f\u00a0,]/g, "");
    const [, sign, number, unit] = text.match(/^<?([↓-]?)↑?([\d.]+)(µs|ms|min|kB|MB|GB|s|h|B|k|M)?/) ?? [];
    // A greater age is an earlier time.
    const turned = Boolean(sign) !== text.endsWith("ago");
    return number === undefined ? null : (turned ? -1 : 1) * Number(number) * (UNITS[unit] ?? 1);
  });
}

for (const table of LISTS)
  test(`the list of ${table} is sorted by every one of its columns, in both directions`, async ({ page }) => {
    test.setTimeout(90_000);
    await page.goto(still(`${STRANGE}${PATHS[table]}`));
    const heads = () => page.locator(`table[data-table="${table}"] thead th`);
    const count = await heads().count();
    expect(count).toBeGreaterThan(4);
    for (let column = 0; column < count; column++) {
      const head = heads().nth(column),
        name = await head.textContent();
      const is_figure = ((await head.getAttribute("class")) ?? "").includes("num");
      // Numbers from the largest down and words from A on; a second click turns that round.
      for (let click = 0; click < 2; click++) {
        const before = (await head.getAttribute("aria-sort")) ?? (is_figure ? "ascending" : "descending"),
          direction = before === "ascending" ? "descending" : "ascending";
        await head.getByRole("link").click();
        await expect(head, name).toHaveAttribute("aria-sort", direction);
        if (!is_figure) continue;
        const all = await page.evaluate(figures, [table, column]);
        const known = all.filter((one) => one !== null);
        const sorted = known.toSorted((a, b) => (direction === "descending" ? b - a : a - b));
        expect(known, `${name}, ${direction}`).toEqual(sorted);
        // Rows without a figure come last either way.
        expect(all.slice(0, known.length), name).not.toContain(null);
      }
    }
  });
