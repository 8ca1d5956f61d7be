// Long text stays in its place, and nothing that is clicked or read covers anything else.
import { LONG, LONG_TRACE } from "../support/long.js";
import { overlaps } from "../support/overlaps.js";
import { VISIT_LIMIT, chosen, every, still } from "../support/pages.js";
import { api, expect, test } from "../support/test.js";

const { ARTICLE, STRANGE } = process.env;

// Eight lines of the list, and the space around them.
const LINES = 8,
  TALLEST = LINES * 20 + 16,
  // A column may be wider where its table has the room.
  WIDEST = 310;

// All that is wider than its place, and rows that are taller than the lines. A table of a document's fields shows them
// whole.
// `scrolling`: whether tables may scroll sideways, as they do in narrow windows.
function large([tallest, widest, scrolling]) {
  const found = [],
    { scrollWidth, clientWidth } = document.scrollingElement;
  const say = ({ outerHTML }) => outerHTML.replaceAll(/(\w)\1{9,}/g, "$1…").slice(0, 120);
  if (scrollWidth > clientWidth) {
    const [first] = [...document.body.querySelectorAll("*")].sort(
      (a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right,
    );
    found.push(`the page is ${scrollWidth - clientWidth} px too wide: ${say(first)}`);
  }
  for (const title of document.querySelectorAll("main h2"))
    if (title.checkVisibility() && !title.matches(".sr") && title.clientWidth < Math.min(40, title.scrollWidth))
      found.push(`a title is not seen: ${say(title)}`);
  let rows = 0;
  for (const table of document.querySelectorAll("main table.table")) {
    if (!table.checkVisibility()) continue;
    const name = table.dataset.table ?? table.caption?.textContent,
      place = table.closest(".wide"),
      scrolls = place && place.scrollWidth > place.clientWidth;
    if (scrolls && !scrolling) found.push(`${name}: ${place.scrollWidth} px in ${place.clientWidth}`);
    for (const row of table.tBodies[0].rows) {
      if (row.classList.contains("detail") || !row.checkVisibility()) continue;
      rows += 1;
      const { height } = row.getBoundingClientRect();
      if (height > tallest) found.push(`${name}: a row of ${height} px: ${say(row)}`);
      for (const cell of row.cells) {
        const { width } = cell.getBoundingClientRect();
        if (scrolls && width > widest) found.push(`${name}: a cell of ${width} px: ${say(cell)}`);
        if (getComputedStyle(cell).overflowX === "visible" && cell.scrollWidth > cell.clientWidth + 1)
          found.push(`${name}: a text leaves its cell: ${say(cell)}`);
      }
    }
  }
  return { found, rows };
}

const COLUMNS = [
  "service.environment",
  "service.version",
  "host.hostname",
  "transaction.result",
  "transaction.type",
  "span.type",
  "error.culprit",
  "error.log.level",
  "user.name",
  "labels.plain",
];

// Every page of the service, and lists by each of its fields.
async function pages() {
  const { names } = await api(STRANGE, `services/${encodeURIComponent(LONG)}/metrics`);
  const longest = names.map(({ name }) => name).find((name) => name.length > 800);
  expect(longest, "a metric with a long name").toBeTruthy();
  const service = encodeURIComponent(LONG),
    at = `${STRANGE}/services/${service}`,
    { hits } = await api(STRANGE, "discover", { q: `processor.event: metric and service.name: "${LONG}"`, size: 1 });
  const label = Object.keys(hits[0].labels).find((name) => name.length > 800);
  expect(label, "a label with a long name").toBeTruthy();
  const series = `${label}=${hits[0].labels[label]}`;
  return [
    ...(await every(STRANGE, LONG, `trace.id: ${LONG_TRACE}`)),
    ...chosen(STRANGE, LONG),
    ["a metric with a long name", `${at}/metrics?metric=${encodeURIComponent(longest)}`],
    ["a metric by a long label", `${at}/metrics?metric=system.memory.total&split=${encodeURIComponent(label)}`],
    ["a metric of a long label", `${at}/metrics?metric=system.memory.total&label=${encodeURIComponent(series)}`],
    ["Discover, all columns", `${STRANGE}/discover?service=${service}&cols=${COLUMNS.join(",")}`],
    ["Discover, a column with a long name", `${STRANGE}/discover?service=${service}&cols=labels.${label}&metrics=on`],
    ...COLUMNS.flatMap((field) => [
      [`Discover by ${field}`, `${STRANGE}/discover?service=${service}&group=${field}`],
      [`traces by ${field}`, `${STRANGE}/traces?service=${service}&group=${field}`],
    ]),
  ];
}

// Each page is loaded once, and then looked at in each width: to load it takes longest.
test(`900 characters in any field widen no list in any width, and no row has more than ${LINES} lines`, async ({
  page,
}) => {
  test.setTimeout(VISIT_LIMIT);
  const found = [];
  let rows = 0;
  for (const [name, address] of await pages()) {
    await page.setViewportSize({ width: 1440, height: 800 });
    const answer = await page.goto(still(address));
    expect(answer.status(), name).toBe(200);
    for (const width of [1440, 900, 390]) {
      await page.setViewportSize({ width, height: 800 });
      // These have as many columns as somebody asks for.
      const scrolling = width < 1440 || /^SQL|columns$/.test(name);
      const here = await page.evaluate(large, [TALLEST, WIDEST, scrolling]);
      const wrong = [...here.found, ...(await page.evaluate(overlaps))];
      found.push(...wrong.map((one) => `${name}, ${width} px: ${one.slice(0, 300)}`));
      rows += here.rows;
    }
  }
  expect(found).toEqual([]);
  expect(rows).toBeGreaterThan(600);
});

test("nothing that is clicked covers anything else, and nothing leaves its panel, in any width", async ({ page }) => {
  test.setTimeout(VISIT_LIMIT);
  const found = [];
  // One page of each kind, with as many choices as there are: the test above visits all pages.
  const at = `${ARTICLE}/services/my-app-01`;
  const all = [
    ...["", "/transactions", "/errors", "/metrics", "/instances"].map((path) => [path, at + path]),
    ...["/services", "/queries", "/insights", "/settings", "/alerts"].map((path) => [path, ARTICLE + path]),
    ...chosen(ARTICLE, "my-app-01"),
  ];
  for (const [name, address] of all) {
    await page.goto(still(address));
    for (const width of [1440, 1360, 1100, 768, 390]) {
      await page.setViewportSize({ width, height: 800 });
      found.push(...(await page.evaluate(overlaps)).map((one) => `${name}, ${width} px: ${one}`));
    }
  }
  expect(found).toEqual([]);
});

test("a button over another and a title that leaves its panel are noticed", async ({ page }) => {
  await page.setContent(`
    <div class="panel" style="position: relative; width: 200px">
      <button style="position: absolute; left: 0; width: 90px">One</button>
      <button style="position: absolute; left: 80px; width: 90px">Two</button>
      <h2 style="position: absolute; left: 180px; width: 90px">Title</h2>
    </div>`);
  const found = await page.evaluate(overlaps);
  expect(found).toHaveLength(2);
  expect(found[0]).toContain("“One” and <button");
  expect(found[1]).toContain("“Title” leaves its panel by 70 px");
});
