// The contents of the article's pictures, after the article's loop (rows as in the list of its pictures).
import { DELAYS, LOOP, ROUNDS } from "../support/article.js";
import { LOGGED } from "../support/streams.js";
import { expect, newest, test } from "../support/test.js";

const { ARTICLE, STRANGE } = process.env;
const SERVICE = `${ARTICLE}/services/my-app-01`;
const requests = (path) => ROUNDS * LOOP.filter(([, one]) => one === path).length;
const transaction = (name) => `${SERVICE}/transactions/view?type=request&name=${encodeURIComponent(name)}`;

test("1: the services with agent, latency, requests per minute, errors per minute; sorted by any of them", async ({
  page,
}) => {
  await page.goto(`${ARTICLE}/services`);
  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "my-app-01" }) });
  await expect(row).toContainText("rust");
  await expect(row).toContainText(/\d\s(ms|µs)/);
  const table = page.getByRole("table", { name: /^Services/ });
  for (const name of ["Avg latency", "Requests/min", "Errors/min"]) {
    await table.getByRole("columnheader", { name }).getByRole("link").click();
    await expect(table.getByRole("columnheader", { name })).toHaveAttribute("aria-sort", /cending/);
    await expect(page).toHaveURL(/[?&]sort=/);
  }
  await expect(page.locator(".header")).toContainText("Last 15 min");
});

test("2: the transactions with latency, results and the table by share of time", async ({ page }) => {
  await page.goto(`${SERVICE}/transactions`);
  for (const name of ["avg", "p95", "p99"])
    await expect(page.locator("#latency .chart-right text").filter({ hasText: name }).first()).toBeVisible();
  const table = page.getByRole("table", { name: "Transactions by name" });
  await expect(table.getByRole("columnheader", { name: /Share of time/ })).toHaveAttribute("aria-sort", "descending");
  for (const name of [
    "GET /",
    "GET /delay",
    "GET /sql-write",
    "GET /sql-read",
    "GET /sql-group",
    "GET /upstream",
    "GET /5xx",
  ]) {
    await expect(table.getByRole("link", { name, exact: true })).toBeVisible();
  }
});

test("2, app-view-delay: the route that waits is far slower than the one that does not", async ({ page }) => {
  await page.goto(`${SERVICE}/transactions?sort=-avg`);
  const rows = page.getByRole("table", { name: "Transactions by name" }).locator("tbody tr");
  const place = async (name) =>
    (await rows.getByRole("rowheader").allTextContents()).findIndex((text) => text.trim() === name);
  expect(await place("GET /delay")).toBeLessThan(await place("GET /"));
  await page.goto(transaction("GET /delay"));
  await expect(page.locator(".facts")).toContainText(/\d\sms/);
  const bars = page.locator("#distribution rect[data-from]");
  expect(await bars.count(), "the article's list has eleven different times").toBeGreaterThan(4);
});

test("3: the distribution of one transaction's durations; a bar leads to its samples", async ({ page }) => {
  await page.goto(transaction("GET /sql-write"));
  const counts = await page.locator("#distribution rect[data-from]").evaluateAll((bars) => bars.length);
  expect(counts).toBeGreaterThan(1);
  await expect(page.locator("#sample .pager .pos")).toHaveText(`1 of ${requests("/sql-write")}`);
  // A click on a bar chooses it, and the samples are of it alone.
  await page.locator("#distribution .chart-body").scrollIntoViewIfNeeded();
  await page.locator("#distribution rect[data-from]").first().click({ force: true });
  await expect(page).toHaveURL(/min_us=\d+&max_us=\d+/);
  await expect(page.locator("#sample .pager .pos")).not.toHaveText(`1 of ${requests("/sql-write")}`);
});

test("4: a sample has its time, duration, result and address, and a tab with everything else", async ({ page }) => {
  await page.goto(transaction("GET /sql-group"));
  const sample = page.locator("#sample");
  await expect(sample).toContainText("HTTP 2xx");
  await expect(sample).toContainText(/\/sql-group/);
  await sample.getByRole("link", { name: "Metadata" }).click();
  await expect(sample).toContainText("Host");
  await expect(sample).toContainText(/my-(za|eu|us)-server/);
  await expect(sample).toContainText("actix-web");
});

test("5: Discover opens with the transaction, all of its fields and its JSON", async ({ page }) => {
  await page.goto(transaction("GET /sql-read"));
  await page.locator("#sample").getByRole("link", { name: "Show in Discover" }).first().click();
  await expect(page).toHaveURL(/\/discover\?/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("1 document matches");
  const open = page
    .getByRole("table", { name: "Documents", exact: true })
    .locator("tbody tr")
    .first()
    .getByRole("link")
    .first();
  await open.click();
  await expect(page.getByText("transaction.duration.us", { exact: true }).last()).toBeVisible();
  await expect(page.getByText("processor.event", { exact: true }).last()).toBeVisible();
});

test("6 and 7: the error's group with its message, place, count, and the last occurrence", async ({ page }) => {
  await page.goto(`${SERVICE}/errors`);
  const row = page.locator("main tbody tr").filter({ hasText: "can only add 1 to a number" });
  await expect(row).toContainText(/unhandled/i);
  // The function; or the line, where the compiler has put the function into its caller.
  await expect(row).toContainText(/routes::fail|src\/routes\/fail\.rs:\d+/);
  await row.getByRole("link").first().click();
  await expect(page).toHaveURL(/\/errors\/[0-9a-f]+/);
  await expect(page.getByText("1 of 3")).toBeVisible();
  await expect(page.locator("main")).toContainText("GET /5xx");
  await expect(page.getByRole("link", { name: "Show all in Discover" })).toBeVisible();
  await expect(page.locator("figure.chart")).toBeVisible();
});

test("8: the stack trace opens at our own line, with the source around it; library frames are folded", async ({
  page,
}) => {
  await page.goto(`${SERVICE}/errors`);
  await page
    .locator("main tbody tr")
    .filter({ hasText: "can only add 1 to a number" })
    .getByRole("link")
    .first()
    .click();
  // Other frames, and their number, depend on what the compiler has put together.
  const own = page
    .locator("details.frame[open]")
    .filter({ has: page.locator("summary", { hasText: /src\/routes\/fail\.rs:\d+/ }) });
  await expect(own.first()).toBeVisible();
  const failing = own.locator(".ln.hit + .hit").filter({ hasText: '.expect("can only add 1 to a number")' });
  await expect(failing).toHaveCount(1);
  await expect(failing).toBeVisible();
  const folds = page.locator("details.folded"),
    library = folds.locator("details.frame");
  const count = await library.count();
  expect(count).toBeGreaterThan(3);
  for (const frame of await library.all()) await expect(frame).toBeHidden();
  await expect(folds.filter({ hasText: "fail.rs" })).toHaveCount(0);
  for (const fold of await folds.all()) {
    await expect(fold.locator("> summary")).toContainText(/\d+ (library )?frames?/);
    await fold.locator("> summary").click();
  }
  for (const frame of await library.all()) await expect(frame).toBeVisible();
});

test("9: a write's timeline has a bar for each of the five INSERTs between BEGIN and COMMIT", async ({ page }) => {
  await page.goto(transaction("GET /sql-write"));
  const labels = page.locator("#wf tbody .label");
  // One more stands for all five together, and can be folded.
  await expect(page.locator("#wf tbody a.label").filter({ hasText: "INSERT INTO people" })).toHaveCount(5);
  await expect(page.locator("#wf tbody tr.fold")).toContainText("5×");
  const all = await labels.allTextContents();
  expect(all[0]).toContain("GET /sql-write");
  expect(all.indexOf("BEGIN")).toBeLessThan(all.indexOf("INSERT INTO people"));
  expect(all.indexOf("COMMIT")).toBeGreaterThan(all.lastIndexOf("INSERT INTO people"));
  for (const row of await page.locator("#wf tbody tr").filter({ hasText: "INSERT INTO people" }).all()) {
    await expect(row.locator("svg.bars rect.t-db").first()).toBeAttached();
  }
  await expect(page.locator("#wf .ruler")).toContainText(/ms|µs/);
});

test("10: a span's details have type, duration, share and the statement", async ({ page }) => {
  await page.goto(transaction("GET /sql-group"));
  await page.locator("#wf tbody tr").filter({ hasText: "SELECT FROM people" }).locator("a.label").click();
  const details = page.locator("#flyout");
  await expect(details).toContainText("sqlite");
  await expect(details).toContainText("%");
  await expect(details).toContainText(/SELECT\s+COUNT\s*\(\*\)/);
  await expect(details).toContainText(/GROUP BY/);
  await expect(details.getByRole("link", { name: /Discover/ }).first()).toBeVisible();
});

test("11: the external call and the statement have different colours, and the call its address and status", async ({
  page,
}) => {
  const span = await newest(ARTICLE, "span.type: external and http.response.status_code: 200");
  await page.goto(`${ARTICLE}/traces/${span.trace.id}`);
  const row = page.locator("#wf tbody tr").filter({ has: page.locator("rect.t-external") });
  await expect(row).toHaveCount(1);
  await row.locator("a.label").click();
  await expect(page.locator("#flyout")).toContainText("/people");
  await expect(page.locator("#flyout")).toContainText("200");
  const fill = (where) =>
    page
      .locator(where)
      .first()
      .evaluate((mark) => getComputedStyle(mark).fill);
  const external = await fill("#wf rect.t-external");
  await page.goto(transaction("GET /sql-group"));
  expect(await fill("#wf rect.t-db")).not.toBe(external);
});

test("12: 2xx, 4xx and 5xx stand beside each other in the requests of a route", async ({ page }) => {
  await page.goto(transaction("GET /upstream"));
  const chart = page.locator("#throughput");
  for (const kind of ["2xx", "4xx", "5xx"]) {
    await expect(chart.locator(".legend li").filter({ hasText: kind })).toContainText(/\d/);
    await expect(chart.locator(`.chart-plot .r-${kind}`).first()).toBeAttached();
  }
});

test("13: latency that grows with the table is said on the statement's page, with its line", async ({ page }) => {
  const { statements } = await (await page.request.get(`${STRANGE}/api/v1/queries?service=shop`)).json();
  await page.goto(`${STRANGE}/queries/${statements[0].fingerprint}?service=shop&from=now-3h`);
  await expect(page.getByText(/1,?000 rows/).first()).toBeVisible();
  await expect(page.locator("#growth-0 circle.pt").nth(20)).toBeAttached();
});

test("14: documents are grouped by the Host header that the loop sets, and filtered by it", async ({ page }) => {
  await page.goto(
    `${ARTICLE}/discover?q=${encodeURIComponent("processor.event: transaction and transaction.name: GET*sql*")}`,
  );
  await page.locator("aside.fields").getByRole("link", { name: "http.request.headers.Host" }).click();
  await page.getByRole("link", { name: "Group by this field" }).click();
  await expect(page).toHaveURL(/group=http\.request\.headers\.Host/);
  for (const host of ["my-za-server", "my-eu-server", "my-us-server"]) {
    const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: host }) });
    await expect(row).toContainText(String(ROUNDS * LOOP.filter(([one]) => one === host).length));
  }
  await page.getByRole("rowheader", { name: "my-eu-server" }).getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(`${3 * ROUNDS} documents match`);
});

test("15: an error that was logged stands among the errors, with the stack of its log line", async ({ page }) => {
  await page.goto(`${STRANGE}/services/shop/errors?env=test`);
  await page.locator("main tbody tr").filter({ hasText: LOGGED }).getByRole("link").first().click();
  await expect(page.getByRole("link", { name: "Log stack trace" })).toHaveAttribute("aria-current", "page");
  await expect(page.locator("details.frame[open] .ln.hit + .hit")).toContainText("log.error");
});

test("16: the setup page has snippets with this server's own address, and says that events arrive", async ({
  page,
}) => {
  await page.goto(`${ARTICLE}/setup`);
  await expect(page.locator("main")).toContainText(`SERVER_URL": "${ARTICLE}"`);
  for (const name of ["Flask", "Django", "Node.js", "Go", "Rust"])
    await expect(page.locator("main")).toContainText(name);
  await expect(page.locator("main")).toContainText("The first event has arrived");
});

test("every wait of /delay was counted", async ({ page }) => {
  const query = encodeURIComponent('processor.event: transaction and transaction.name: "GET /delay"');
  const found = await (await page.request.get(`${ARTICLE}/api/v1/discover?q=${query}`)).json();
  expect(found.total).toBe(DELAYS);
});
