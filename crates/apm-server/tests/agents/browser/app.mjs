// Elastic's agent for browsers on a page in Chromium: `app.mjs URL VERSION FOLDER`, where the agent sends, the version
// of its wire, and the folder of its packages. It prints what the agent says that it sends, by kind.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

const [url, version, packages] = process.argv.slice(2);
const PATIENCE = 60_000;
const BUNDLE = "@elastic/apm-rum/dist/bundles/elastic-apm-rum.umd.min.js";
const agent = await readFile(path.join(packages, BUNDLE));

// The page's own work: its load, a transaction with a span, and an error. When all of it has been answered, it tells
// what the agent was about to send, and what the agent complained of.
function work({ serverUrl, apiVersion }) {
  const made = { transaction: 0, span: 0, error: 0 };
  const said = [];
  for (const level of ["warn", "error"]) console[level] = (...words) => said.push(words.join(" "));
  const apm = window.elasticApm.init({
    serviceName: "browser-service",
    serverUrl,
    apiVersion: Number(apiVersion),
    flushInterval: 100,
    logLevel: "warn",
  });
  apm.addFilter((payload) => {
    for (const transaction of payload.transactions ?? []) {
      made.transaction += 1;
      made.span += transaction.spans?.length ?? 0;
    }
    made.error += payload.errors?.length ?? 0;
    return payload;
  });
  addEventListener("load", () => {
    // The agent leaves out what took no time.
    const bought = apm.startTransaction("buy", "custom");
    const computed = bought.startSpan("compute", "app");
    setTimeout(() => {
      computed.end();
      bought.end();
      apm.captureError(new Error("the shelf is empty"));
    }, 20);
    const told = () => {
      // Of the load, of the purchase, and of the error.
      if (made.transaction < 2 || made.error < 1) return setTimeout(told, 50);
      setTimeout(() => fetch("/done", { method: "POST", body: JSON.stringify({ made, said }) }), 1_000);
    };
    told();
  });
}

const page = `<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script src="/rum.js"></script>
  <script>(${work})(${JSON.stringify({ serverUrl: url, apiVersion: version })})</script><h1>Our shop</h1>`;

let resolve, reject;
const done = new Promise((...ends) => ([resolve, reject] = ends));
const site = http.createServer(async (request, response) => {
  if (request.url === "/done") {
    const parts = [];
    for await (const part of request) parts.push(part);
    response.end();
    return resolve(JSON.parse(Buffer.concat(parts).toString()));
  }
  const isScript = request.url === "/rum.js";
  response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
  response.end(isScript ? agent : page);
});
await new Promise((listening) => site.listen(0, "127.0.0.1", listening));
const profile = await mkdtemp(path.join(tmpdir(), "browser-service-"));
const browser = spawn(
  process.env.CHROMIUM ?? "chromium",
  [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    `--user-data-dir=${profile}`,
    `http://127.0.0.1:${site.address().port}/`,
  ],
  { stdio: "ignore" },
);
browser.on("error", reject);
const timer = setTimeout(() => reject(new Error("the page was not done in time")), PATIENCE);
try {
  const { made, said } = await done;
  for (const line of said) console.error(`WARN ${line}`);
  console.log(`made ${Object.entries(made).map(([kind, count]) => `${kind}=${count}`).join(" ")}`);
} finally {
  clearTimeout(timer);
  const gone = new Promise((exited) => browser.once("exit", exited));
  browser.kill();
  if (browser.pid && browser.exitCode === null) await gone;
  site.close();
  site.closeAllConnections();
  await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
