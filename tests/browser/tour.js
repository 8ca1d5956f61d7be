// The article's walk, picture by picture: `.ci/browser --tour` starts a service, lets the loop run for some minutes,
// and writes the pictures of docs/tour.md to the folder that TOUR names.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { LOOP, article } from "./support/article.js";
import { pictures } from "./support/pictures.js";
import { ask, start, until } from "./support/service.js";

const MINUTES = Number(process.env.TOUR_MINUTES ?? 3);
const directory = mkdtempSync(path.join(tmpdir(), "pocket-apm-tour-"));
const apm = await start(directory, "tour");
const { browser, page, open, shot } = await pictures(process.env.TOUR);

try {
  const service = `${apm.pages}/services/my-app-01`,
    range = "from=now-5m&refresh=0";
  const view = (name, more = "") =>
    `${service}/transactions/view?type=request&name=${encodeURIComponent(name)}&${range}${more}`;
  const round = async () => {
    for (const [host, route] of LOOP) await ask(apm.service + route, { headers: { host } });
    for (const route of ["/", "/delay", "/upstream"]) await ask(apm.service + route);
    // A person, not a benchmark: a round every half second.
    await new Promise((resolve) => setTimeout(resolve, 500));
  };

  // A newcomer's first two minutes: the first page before anything was called, and the service a minute and two later.
  await apm.stored("processor.event: metric", 1);
  await open(`${apm.pages}/services?refresh=0`);
  // The ports are free ones here, not those that a newcomer sees.
  await page.locator("#first-call, #first-demo").evaluateAll((all) => {
    for (const one of all)
      one.textContent = one.textContent
        .replace(/:\d+(?=\/sql-write)/, ":8080")
        .replace(/(?<=--server .*):\d+$/, ":8200");
  });
  await shot("first-page");
  await article(apm);
  const begin = Date.now();
  for (const after of [1, 2, MINUTES]) {
    while (Date.now() < begin + after * 60e3) await round();
    if (after < MINUTES) {
      await open(`${service}?refresh=0`);
      await shot(`first-minutes-${after}`);
    }
  }
  await ask(`${apm.service}/5xx`);
  await until(
    "the insights",
    () => apm.api("insights"),
    ({ insights }) => insights.some(({ kind }) => kind === "repeat"),
  );
  await apm.stored('processor.event: transaction and transaction.name: "GET /5xx"', 4);

  await open(`${apm.pages}/services?${range}`);
  await shot("home-root");
  await open(`${service}/transactions?${range}&sort=-rate`);
  await shot("app-view-1");
  await open(view("GET /"));
  await shot("req-view-1");
  await open(view("GET /", "&tab=metadata"));
  await shot("app-transaction-1", "#sample");
  await page.locator("#sample").getByRole("link", { name: "Show in Discover" }).first().click();
  await page
    .getByRole("table", { name: "Documents", exact: true })
    .locator("tbody tr")
    .first()
    .getByRole("link")
    .first()
    .click();
  await page.getByText("transaction.duration.us", { exact: true }).last().waitFor();
  await shot("transaction-disc-1");
  await open(view("GET /delay", "&min_us=100000&max_us=400000"));
  await shot("req-view-2");
  await open(`${service}/errors?${range}`);
  await shot("error-1");
  await page.locator("main tbody tr").filter({ hasText: "can only add 1" }).getByRole("link").first().click();
  await page.locator("details.frame[open]").first().waitFor();
  // Paths begin with the folder in which the binary was built, which is nobody's business.
  await page.locator(".where").evaluateAll((all) => {
    for (const one of all) one.textContent = one.textContent.replace(/^[^/]+\/(?=src\/)/, "");
  });
  await shot("error-details-1");
  await open(`${service}/transactions?${range}&sort=-avg`);
  await shot("app-view-delay");
  await open(`${service}/transactions?${range}`);
  await shot("db-view-1", "main table.table");
  await open(view("GET /sql-write"));
  await shot("db-sqlwrite-1");
  await shot("db-sqlwrite-1-details", "#sample");
  await open(view("GET /sql-group"));
  await shot("db-sqlgroup-1");
  await shot("db-sqlgroup-1-details", "#sample");
  await page.locator("#wf a.label").filter({ hasText: "SELECT FROM people" }).click();
  await page.locator("#flyout").waitFor();
  await shot("db-sqlgroup-1-span", "#sample");
  // The picture of the README.
  // One of the faster ones: on a busy machine others wait more than they work.
  const q = 'processor.event: transaction and transaction.name: "GET /sql-write"';
  const writes = (await apm.api("discover", { q, size: 50 })).hits;
  writes.sort((a, b) => a.transaction.duration.us - b.transaction.duration.us);
  const write = writes[Math.floor(writes.length / 4)].trace.id;
  const pageOfWrite = `${apm.pages}/traces/${write}?${range}`;
  const inserts = await apm.api("discover", { q: `span.name: "INSERT INTO people" and trace.id: ${write}`, size: 1 });
  await page.setViewportSize({ width: 1440, height: 900 });
  await open(`${pageOfWrite}&item=${inserts.hits[0].span.id}`);
  await shot("../trace");
  await page.setViewportSize({ width: 1360, height: 850 });
  await open(view("GET /upstream"));
  await shot("app-response-codes");
  const query = encodeURIComponent("processor.event: transaction and transaction.name: GET*sql*");
  await open(`${apm.pages}/discover?${range}&q=${query}&group=http.request.headers.Host`);
  await shot("discover-hosts");
  await open(`${apm.pages}/insights?${range}`);
  await shot("insights");
  const { statements } = await apm.api("queries");
  const group = statements.find(({ normalized }) => /GROUP BY/.test(normalized));
  const statement = `${apm.pages}/queries/${group.fingerprint}?service=my-app-01&${range}`;
  await open(statement);
  await shot("statement", "main .cols--2");

  // More services than the article's one, and requests that ask a database and another service.
  execFileSync(process.env.POCKET_APM, ["generate", "--traces", "600", "--window", "4m", "--server", apm.pages]);
  await open(`${apm.pages}/services?${range}`);
  await shot("apps");
  await open(`${apm.pages}/map?${range}`);
  await shot("map");
  const calls = await apm.api("discover", { q: "span.type: external and service.environment: demo", size: 50 });
  let both;
  for (const call of calls.hits) {
    const q = `span.type: db and transaction.id: ${call.transaction.id}`;
    if ((await apm.api("discover", { q, size: 1 })).total > 0) both = call;
    if (both) break;
  }
  if (!both) throw new Error("no request asks both a database and another service");
  await open(`${apm.pages}/traces/${both.trace.id}?${range}&item=${both.span.id}`);
  await shot("db-sqlread-ext");

  await page.emulateMedia({ colorScheme: "dark" });
  await open(`${apm.pages}/services?${range}`);
  await shot("apps-dark");
  await open(pageOfWrite);
  await shot("trace-dark");
  // A phone.
  await page.setViewportSize({ width: 390, height: 844 });
  await open(statement);
  await shot("statement-narrow-dark", "main .cols--2");
  await page.emulateMedia({ colorScheme: "light" });
  await open(`${apm.pages}/services?${range}`);
  await shot("apps-narrow");
  await open(pageOfWrite);
  await shot("trace-narrow");
} finally {
  await browser.close();
  await apm.stop();
  rmSync(directory, { recursive: true, force: true });
}
