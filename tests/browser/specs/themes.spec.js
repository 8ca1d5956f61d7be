// Both themes, by the system's choice and by the reader's; and axe-core on every page in each of them.
import { audit } from "../support/audit.js";
import { CROWD } from "../support/crowd.js";
import { VISIT_LIMIT, every, still } from "../support/pages.js";
import { expect, test } from "../support/test.js";

const { ARTICLE, STRANGE } = process.env;
// The two that take minutes do not wait for each other.
test.describe.configure({ mode: "parallel" });

const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const light = (color) =>
  color
    .match(/[\d.]+/g)
    .slice(0, 3)
    .map(Number)
    .reduce((a, b) => a + b) >
  3 * 128;

for (const [of, pages] of [
  ["a service as usual", () => every(ARTICLE, "my-app-01", 'transaction.name: "GET /sql-write"')],
  ["a service with 300 of everything", () => every(STRANGE, CROWD, `service.name: ${CROWD}`)],
])
  test(`axe-core finds nothing on any page of ${of}, in either theme`, async ({ page }) => {
    test.setTimeout(VISIT_LIMIT);
    const found = [];
    for (const [name, address] of await pages()) {
      await page.goto(still(address));
      found.push(...(await audit(page)).map((one) => `${name}: ${one}`));
    }
    expect(found).toEqual([]);
  });

test("axe-core notices what cannot be read in one of the themes, and what has no name", async ({ page }) => {
  await page.setContent(`
    <!doctype html><html lang="en"><title>Page</title>
    <style>
      :root { color-scheme: light dark; background: light-dark(#fff, #000) }
      p { color: light-dark(#000, #333) }
    </style>
    <main><h1>Page</h1><p>A text.</p><button></button></main>`);
  const found = await audit(page);
  expect(found.map((one) => one.split(" (")[0])).toEqual(["button-name", "dark: color-contrast"]);
});

for (const scheme of ["light", "dark"])
  test(`pages follow the system to the ${scheme} theme`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(`${ARTICLE}/services`);
    expect(light(await background(page))).toBe(scheme === "light");
  });

// In the page: how far colours are apart (OKLab: black and white are 1 apart), and the contrast of each with the page.
function apart(shown) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const linear = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]
      .slice(0, 3)
      .map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  };
  const mixed = (color, rows) => rows.map((row) => row.reduce((sum, part, i) => sum + part * color[i], 0));
  const lab = (color) =>
    mixed(
      mixed(linear(color), [
        [0.4122, 0.5363, 0.0514],
        [0.2119, 0.6807, 0.1074],
        [0.0883, 0.2817, 0.63],
      ]).map(Math.cbrt),
      [
        [0.2105, 0.7936, -0.0041],
        [1.978, -2.4286, 0.4506],
        [0.0259, 0.7828, -0.8087],
      ],
    );
  const light = (color) => mixed(linear(color), [[0.2126, 0.7152, 0.0722]])[0] + 0.05;
  const below = light(getComputedStyle(document.body).backgroundColor);
  return shown.map(([name, color], i) => ({
    name,
    contrast: Math.max(light(color) / below, below / light(color)),
    nearest: Math.min(
      ...shown.filter((_, n) => n !== i).map(([, other]) => Math.hypot(...lab(color).map((v, k) => v - lab(other)[k]))),
    ),
  }));
}

test("severities of log lines are told apart by their colours, and seen, in both themes", async ({ page, begin }) => {
  const server = await begin(["server"]);
  const levels = ["error", "warn", "info", "debug", ""];
  await server.send([
    { metadata: { service: { name: "shop", agent: { name: "python", version: "6" } } } },
    ...levels.map((level) => ({ log: { "@timestamp": Date.now() * 1000 - 5e6, message: "m", "log.level": level } })),
  ]);
  await server.stored("message: m", levels.length);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.goto(`${server.pages}/logs?refresh=0`);
    const legend = page.locator("#lines .legend li");
    await expect(legend).toHaveCount(levels.length);
    const shown = await legend.evaluateAll((all) =>
      all.map((one) => [one.textContent.trim(), getComputedStyle(one.querySelector(".swatch")).backgroundColor]),
    );
    for (const { name, contrast, nearest } of await page.evaluate(apart, shown)) {
      expect(contrast, `${name}, ${colorScheme}`).toBeGreaterThanOrEqual(3);
      expect(nearest, `${name}, ${colorScheme}`).toBeGreaterThan(0.1);
    }
    // A bar has the colour of its key.
    const bars = await page
      .locator("#lines rect.bar")
      .evaluateAll((all) => all.map((one) => getComputedStyle(one).fill));
    expect(new Set(bars)).toEqual(new Set(shown.map(([, color]) => color)));
  }
});

test("nothing moves for a reader who wants less motion", async ({ page, begin }) => {
  const { pages } = await begin(["server"]);
  const moving = () =>
    page.evaluate(
      () =>
        [...document.querySelectorAll("*")].filter((one) => {
          const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(one);
          const lasts = transitionDuration.split(",").some((time) => Number.parseFloat(time) > 0);
          return animationName !== "none" || lasts || scrollBehavior === "smooth";
        }).length,
    );
  // The page that waits has a mark that pulses.
  for (const address of [`${pages}/setup`, `${ARTICLE}/services`, `${ARTICLE}/traces`]) {
    await page.emulateMedia({ reducedMotion: "no-preference" });
    await page.goto(address);
    expect(await moving(), address).toBeGreaterThan(0);
    await page.emulateMedia({ reducedMotion: "reduce" });
    expect(await moving(), address).toBe(0);
  }
});

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
