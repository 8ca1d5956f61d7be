// The pictures of docs/sql-insight.md: `.ci/browser --sql-insight` calls the service as that page does, and writes them
// to the folder that PICTURES names.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { pictures } from "./support/pictures.js";
import { ask, start, until } from "./support/service.js";

const directory = mkdtempSync(path.join(tmpdir(), "pocket-apm-sql-insight-"));
const { browser, page, open, shot } = await pictures(process.env.PICTURES);
const range = "from=now-15m&refresh=0";

// Until the server has told of something.
const told = (apm, title) =>
  until(
    title,
    () => apm.api("insights"),
    ({ insights }) => insights.some((insight) => insight.title.includes(title)),
  );

let apm = await start(directory, "sql-insight");
try {
  const repeat = async (times, routes) => {
    for (let i = 0; i < times; i++) for (const route of routes) await ask(apm.service + route);
  };
  await repeat(1, ["/", "/delay", "/upstream", "/5xx"]);
  await repeat(20, ["/sql-write", "/sql-group", "/sql-write", "/sql-read"]);
  await repeat(80, ["/sql-group"]);
  await told(apm, "GET /sql-group gets slower");
  await told(apm, "5× per request");

  const name = encodeURIComponent("GET /sql-group");
  await open(`${apm.pages}/services/my-app-01/transactions/view?type=request&name=${name}&${range}`);
  await page.locator("#wf a.label").filter({ hasText: "SELECT FROM people" }).click();
  await page.locator("#flyout").waitFor();
  await shot("trace", "#sample");
  await open(`${apm.pages}/queries?${range}&sort=-steps`);
  await shot("queries", "main table.table");
  const { statements } = await apm.api("queries");
  const { fingerprint } = statements.find(({ normalized }) => /GROUP BY/.test(normalized));
  const statement = () => `${apm.pages}/queries/${fingerprint}?service=my-app-01&${range}`;
  await open(statement());
  await shot("statement", "main .cols--2");
  await open(`${apm.pages}/insights?${range}`);
  await shot("insights");

  await apm.stop();
  apm = await start(directory, "sql-insight", ["--sql-group", "index"]);
  await repeat(100, ["/sql-group"]);
  await told(apm, "uses people_city");
  await open(`${apm.pages}/insights?${range}`);
  await shot("plan-change");
} finally {
  await browser.close();
  await apm.stop();
  rmSync(directory, { recursive: true, force: true });
}
