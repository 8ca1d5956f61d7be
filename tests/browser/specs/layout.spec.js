// Every page in a narrow window and on a phone, in both themes, and with the few colours of a forced palette.
import { VISIT_LIMIT, every, still, wide } from "../support/pages.js";
import { CROWD } from "../support/crowd.js";
import { expect, test } from "../support/test.js";

const { ARTICLE, STRANGE } = process.env;

// A page is loaded once for all widths: to load it takes longest. A window of 1440 px with 200 % of zoom is one of 720.
const WIDTHS = [1440, 900, 720, 390];
test(`no page scrolls sideways at ${WIDTHS.join(", ")} px, in either theme`, async ({ page }) => {
  test.setTimeout(VISIT_LIMIT);
  const found = [];
  const look = async (name, width, colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const by = await page.evaluate(wide);
    if (by) found.push(`${name}, ${width} px, ${colorScheme}: ${by}`);
  };
  // Pages of a service as usual, and of one that has 300 of everything, some with names of 900 characters, from right
  // to left, or emoji. Tests of hostile text and of long names look at theirs.
  const all = [
    ...(await every(ARTICLE, "my-app-01", 'transaction.name: "GET /sql-write"')),
    ...(await every(STRANGE, CROWD, `service.name: ${CROWD}`)),
  ];
  for (const [name, address] of all) {
    const { pathname } = new URL(address);
    await page.setViewportSize({ width: WIDTHS[0], height: 800 });
    await page.goto(still(address));
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      await look(`${name}, ${pathname}`, width, "light");
    }
    // Both themes have the same sizes, so one width tells whether the other theme has changed any.
    await look(`${name}, ${pathname}`, WIDTHS.at(-1), "dark");
  }
  expect(found).toEqual([]);
});

test("a name of 900 characters makes no list wider than its place", async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  const lists = ["/services", "/errors", "/dependencies", "/queries", `/services/${CROWD}/transactions`];
  for (const list of lists) {
    await page.goto(`${STRANGE}${list}?from=now-1h&refresh=0`);
    const tables = page.locator("main .wide");
    await expect(tables.first(), list).toBeVisible();
    const wide = await tables.evaluateAll((all) =>
      all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => `${one.scrollWidth} > ${one.clientWidth}`),
    );
    expect(wide, list).toEqual([]);
  }
});

test("the menus of the header fit into the window and cut nothing, in any width", async ({ page }) => {
  const found = [];
  let seen = 0;
  for (const width of [1440, 900, 390]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto(still(`${ARTICLE}/services`));
    for (const menu of await page.locator("header details.menu").all()) {
      const summary = menu.locator(":scope > summary");
      if (!(await summary.isVisible())) continue;
      await summary.click();
      seen += 1;
      const cut = await menu.locator(":scope > :not(summary)").evaluate((list) => {
        const { left, right } = list.getBoundingClientRect();
        const cut = [list, ...list.querySelectorAll("a, form, dd, li")].filter(
          (one) => one.scrollWidth > one.clientWidth + 1 || (one !== list && one.scrollHeight > one.clientHeight + 1),
        );
        const words = cut.map((one) => `cut: ${one.outerHTML.slice(0, 80)}`);
        return left < 0 || right > innerWidth ? [`from ${left} to ${right}`, ...words] : words;
      });
      found.push(...cut.map((what) => `${width} px, ${what}`));
      await page.keyboard.press("Escape");
    }
  }
  expect(found).toEqual([]);
  expect(seen).toBeGreaterThan(11);
});

test("on a phone, the navigation begins at the page that is shown", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  for (const path of ["services", "live", "settings"]) {
    await page.goto(still(`${ARTICLE}/${path}`));
    const here = page.locator("nav.nav a[aria-current]");
    await expect(here).toHaveText(/\w/);
    await expect(here).toBeInViewport({ ratio: 1 });
  }
});

test("on a phone, the name of a row stays while its figures scroll", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  for (const path of ["/services", "/queries", `/services/${CROWD}/transactions`]) {
    await page.goto(still(`${STRANGE}${path}`));
    const name = page.locator("main .wide tbody th").first(),
      last = page.locator("main .wide tbody tr").first().locator("td").last();
    const before = (await name.boundingBox()).x;
    await last.scrollIntoViewIfNeeded();
    await expect(last).toBeInViewport();
    const wide = page.locator("main .wide").first();
    await wide.evaluate((one) => one.scrollTo(one.scrollWidth, 0));
    expect((await name.boundingBox()).x, path).toBeCloseTo(before, 0);
    await expect(name, path).toBeInViewport();
  }
});

// The contrast of two colours as the browser computes them, 1 to 21.
function contrasts() {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb) =>
    rgb
      .slice(0, 3)
      .map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const over = (top, below) => top.slice(0, 3).map((v, i) => (v * top[3]) / 255 + below[i] * (1 - top[3] / 255));
  const contrast = (color, below, opacity = 1) => {
    const top = rgba(color);
    top[3] *= opacity;
    const [a, b] = [light(over(top, below)), light(below)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = rgba(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba("Canvas");
  };
  const seen = (element) => {
    const box = element.getBoundingClientRect();
    return (
      box.width > 0 && box.height > 0 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    );
  };
  const poor = [];
  let marks = 0,
    texts = 0;
  // A mark is seen by its fill or its stroke: 3 : 1 against what is behind it.
  const shapes = [
    ".chart-plot polyline.line, .chart-plot rect.bar, .chart-over circle, .chart-over line.fit",
    "#wf svg.bars rect:not(.hit), svg.spark path:not(.area), svg.spark polyline",
  ];
  for (const mark of document.querySelectorAll(shapes.join(", "))) {
    if (!seen(mark.closest("svg"))) continue;
    const { fill, stroke, opacity } = getComputedStyle(mark),
      below = behind(mark);
    const best = Math.max(
      ...[fill, stroke]
        .filter((color) => color !== "none" && !color.startsWith("url"))
        .map((color) => contrast(color, below, Number(opacity))),
      1,
    );
    marks += 1;
    if (best < 3) poor.push(`${best.toFixed(1)}: ${mark.outerHTML.slice(0, 90)} fill ${fill} stroke ${stroke}`);
  }
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, (node) =>
    node.textContent.trim() ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP,
  );
  while (words.nextNode()) {
    const element = words.currentNode.parentElement;
    if (!seen(element) || element.closest(".sr, script, style, title, option, datalist, [disabled]")) continue;
    const style = getComputedStyle(element),
      own = element instanceof SVGElement ? style.fill : style.color;
    const best = contrast(own, behind(element));
    texts += 1;
    if (best < 4.5) {
      const text = words.currentNode.textContent.trim().slice(0, 40);
      poor.push(`${best.toFixed(1)}: “${text}” in ${element.outerHTML.slice(0, 90)} ${own}`);
    }
  }
  return { poor: [...new Set(poor)], marks, texts };
}

for (const colorScheme of ["light", "dark"]) {
  test(`with a forced palette, ${colorScheme}, marks of charts are seen and text is read`, async ({ page }) => {
    await page.emulateMedia({ forcedColors: "active", colorScheme });
    const service = `${ARTICLE}/services/my-app-01`,
      growing = `${STRANGE}/services/shop`;
    let marks = 0;
    const poor = [];
    for (const address of [
      `${ARTICLE}/services`,
      `${service}/transactions`,
      `${service}/transactions/view?type=request&name=GET%20%2Fsql-write`,
      `${service}/errors`,
      `${growing}/transactions?from=now-3h`,
      `${ARTICLE}/discover`,
      `${ARTICLE}/queries`,
      `${ARTICLE}/settings`,
    ]) {
      await page.goto(address);
      const found = await page.evaluate(contrasts);
      poor.push(...found.poor.map((one) => `${address}: ${one}`));
      expect(found.texts, address).toBeGreaterThan(20);
      marks += found.marks;
    }
    expect(poor).toEqual([]);
    expect(marks).toBeGreaterThan(100);
  });
}
