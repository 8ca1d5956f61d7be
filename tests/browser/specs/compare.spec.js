// Markers, and what was before and after them.
import { expect, test } from "../support/test.js";

const MINUTE = 60e6;
const id = (n, length) => n.toString(16).padStart(length, "0");

// Twenty minutes of a service. At the tenth the index is lost: `GET /list` gets slower, `GET /old` and its statement
// go, `GET /new` comes.
function change(now) {
  const lines = [{ metadata: { service: { name: "depot", version: "3.0", agent: { name: "python", version: "6" } } } }];
  let n = 1;
  const call = (at, name, duration, statement) => {
    const transaction = { id: id(0xd000 + n, 16), trace_id: id(0xd000 + n, 32) };
    lines.push({
      transaction: {
        ...transaction,
        timestamp: at,
        duration: duration + 1,
        name,
        type: "request",
        result: "HTTP 2xx",
        outcome: "success",
        sampled: true,
        span_count: { started: 1 },
      },
    });
    lines.push({
      span: {
        id: id(0xe000 + n, 16),
        trace_id: transaction.trace_id,
        transaction_id: transaction.id,
        parent_id: transaction.id,
        timestamp: at + 200,
        duration,
        name: statement.split(" ").slice(0, 2).join(" "),
        type: "db",
        subtype: "sqlite",
        action: "query",
        context: { db: { statement, type: "sql" } },
      },
    });
    n += 1;
  };
  for (let i = 0; i < 100; i++) {
    const before = now - 19 * MINUTE + i * 4e6,
      after = now - 8 * MINUTE + i * 4e6;
    call(before, "GET /list", 4 + (i % 3), "SELECT * FROM parcels WHERE shelf = ?");
    call(after, "GET /list", 40 + (i % 3), "SELECT * FROM parcels WHERE shelf = ?");
    call(before + 1e6, "GET /old", 3, "SELECT weight FROM parcels_old WHERE id = ?");
    call(after + 1e6, "GET /new", 3, "SELECT weight, size FROM parcels WHERE id = ?");
  }
  return lines;
}

test("a marker that is set by its button stands in the list, on the charts, and in the choice of times", async ({
  page,
  begin,
}) => {
  const server = await begin(["server"]);
  await server.send(change(Date.now() * 1000));
  await page.goto(`${server.pages}/compare`);
  await page.getByRole("textbox", { name: "Set a marker now" }).fill("index <dropped>");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await expect(page.getByRole("link", { name: "“index <dropped>”" })).toBeVisible();
  const { markers } = await server.api("markers");
  expect(markers.map(({ kind, name }) => [kind, name])).toContainEqual(["manual", "index <dropped>"]);

  for (const path of ["/services/depot", "/services/depot/transactions", "/discover"]) {
    await page.goto(server.pages + path);
    const charts = page.locator("figure.chart:has(.chart-plot)");
    expect(await charts.count(), path).toBeGreaterThan(0);
    for (const chart of await charts.all()) {
      await expect(chart.locator(".flag-text"), path).toContainText(["index <dropped>"]);
      // Said, too, and near the end of the range, which is now.
      await expect(chart.locator(".chart-plot"), path).toHaveAttribute("aria-label", /“index <dropped>” at \d\d:\d\d/);
      const [line, plot] = [
        await chart.locator("line.flag").last().boundingBox(),
        await chart.locator(".chart-plot").boundingBox(),
      ];
      expect((line.x - plot.x) / plot.width, path).toBeGreaterThan(0.8);
      expect(line.height, path).toBeGreaterThan(50);
    }
  }
  await page.locator(".header summary").filter({ hasText: "Last 15 min" }).click();
  await page.getByRole("link", { name: "Since “index <dropped>”" }).click();
  await expect(page).toHaveURL(/from=20\d\d-/);
});

test("around a marker, requests and statements stand before and after, with what is slower, new and gone", async ({
  page,
  begin,
}) => {
  const server = await begin(["server"]),
    now = Date.now() * 1000;
  await server.send(change(now));
  const at = new Date((now - 10 * MINUTE) / 1000).toISOString();
  const set = await page.request.post(`${server.pages}/api/v1/markers`, {
    data: { name: "release", service: "depot", time: at },
  });
  expect(set.status()).toBe(201);
  await page.goto(`${server.pages}/compare?refresh=0`);
  await page.getByRole("link", { name: "“release”" }).click();
  await expect(page.getByRole("link", { name: "“release”" })).toHaveAttribute("aria-current", "true");
  const heading = page.getByRole("heading", { level: 1 });
  await expect(heading).toHaveText("1 kind of request is slower than before “release”.");

  const requests = page.getByRole("table", { name: "Requests then and now" }).getByRole("row");
  const slower = requests.filter({ has: page.getByRole("rowheader", { name: /GET \/list/ }) });
  await expect(slower.getByRole("cell").nth(0)).toHaveText("100");
  await expect(slower.getByRole("cell").nth(1)).toHaveText("100");
  await expect(slower.getByRole("cell").nth(2)).toContainText(/^[5-7](\.\d+)?\sms$/);
  await expect(slower.getByRole("cell").nth(3)).toContainText(/^4[0-3](\.\d+)?\sms$/);
  await expect(slower.getByRole("cell").nth(4)).toContainText(/\d/);
  await expect(requests.filter({ hasText: "GET /new" })).toContainText("new");
  await expect(requests.filter({ hasText: "GET /old" })).toContainText("gone");
  await expect(slower).not.toContainText(/new|gone/);

  const statements = page.getByRole("table", { name: "Statements then and now" }).getByRole("row");
  await expect(statements.filter({ hasText: "size" })).toContainText("new");
  await expect(statements.filter({ hasText: "parcels_old" })).toContainText("gone");
  await statements.filter({ hasText: "shelf" }).getByRole("link").first().click();
  await expect(page).toHaveURL(/\/queries\/[0-9a-f]{16}/);

  // Its own file for each of both tables.
  await page.goBack();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download as CSV: Statements then and now" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("statements.csv");
});
