// A server below a path, asked for directly, and behind a proxy that takes the path off: the scripts find everything
// below it.
import http from "node:http";

import { ask, started } from "../support/service.js";
import { expect, test } from "../support/test.js";

const TRACE = "ba5e".padEnd(32, "0"),
  SPANS = 600;

// A trace with more rows than one page of them.
function stream() {
  const now = Date.now() * 1000,
    id = (number) => number.toString(16).padStart(16, "0");
  const transaction = {
    id: id(1),
    trace_id: TRACE,
    name: "GET /based",
    type: "request",
    duration: SPANS,
    timestamp: now - 2e6,
    span_count: { started: SPANS },
  };
  const span = (number) => ({
    id: id(number + 2),
    transaction_id: id(1),
    parent_id: id(1),
    trace_id: TRACE,
    name: `step ${number}`,
    type: "app",
    duration: 1,
    timestamp: now - 2e6 + number * 1000,
  });
  return [
    { metadata: { service: { name: "based", environment: "test", agent: { name: "hand", version: "1" } } } },
    { transaction },
    ...Array.from({ length: SPANS }, (_, number) => ({ span: span(number) })),
  ];
}

// As nginx does it with `location /apm/ { proxy_pass http://server/; }`: `/apm/x` becomes `/x`, other addresses are not
// its own.
async function proxy(pages) {
  const target = new URL(pages);
  const server = http.createServer((request, response) => {
    if (!request.url.startsWith("/apm/")) return response.writeHead(418).end();
    const headers = {
      ...request.headers,
      host: target.host,
      "x-forwarded-host": request.headers.host,
      "x-forwarded-proto": "http",
    };
    const { method } = request;
    const passed = http.request(
      { host: target.hostname, port: target.port, path: request.url.slice("/apm".length), method, headers },
      (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      },
    );
    passed.on("error", () => response.destroy());
    response.on("close", () => passed.destroy());
    request.pipe(passed);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const own = `http://127.0.0.1:${server.address().port}`;
  started.add(own);
  return {
    own,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

for (const way of ["asked for directly", "behind a proxy that takes the path off"]) {
  test(`below a path, ${way}: links, rows, suggestions, keys, theme, forms and live updates work`, async ({
    page,
    context,
    begin,
  }) => {
    test.setTimeout(90_000);
    const server = await begin(["--apm-base-path", "/apm", "--apm-trusted-proxies", "127.0.0.1"]);
    await server.send(stream());
    const front = way.startsWith("behind") ? await proxy(server.pages) : { own: server.pages, close: () => {} };
    const at = (path) => `${front.own}/apm${path}`;
    const outside = [],
      asked = new Set();
    context.on("request", (request) => {
      const { pathname } = new URL(request.url());
      asked.add(pathname);
      if (!pathname.startsWith("/apm/")) outside.push(pathname);
    });

    // The rows of a large trace are asked for as the reader goes through them.
    await page.goto(at(`/traces/${TRACE}`));
    // A key does nothing before the script of the waterfall has run.
    await expect(page.locator("#wf[data-ready]")).toBeVisible();
    await page.locator("#wf tbody tr").first().focus();
    await page.keyboard.press("End");
    await expect(page.locator("#wf tbody tr:focus")).toContainText(`step ${SPANS - 1}`);
    await expect(page).toHaveURL(new RegExp(`/apm/traces/${TRACE}`));

    // Keys lead to pages and keep the range.
    await page.goto(at("/services?from=now-1h"));
    for (const [key, path] of [
      ["q", "queries"],
      ["t", "traces"],
      ["e", "errors"],
      ["d", "discover"],
      ["l", "live"],
      ["s", "services"],
    ]) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await expect(page).toHaveURL(new RegExp(`^${front.own}/apm/${path}(\\?|$)`));
      await page.waitForLoadState("load");
    }
    await page.getByRole("link", { name: "based" }).first().click();
    await expect(page).toHaveURL(new RegExp(`^${front.own}/apm/services/based`));

    // Suggestions.
    await page.goto(at("/discover?refresh=0"));
    await page.keyboard.press("/");
    await page.keyboard.type("span.na");
    await expect(page.locator("#q-list:not([aria-busy])").getByRole("option", { name: "span.name" })).toBeVisible();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect(
      page.getByRole("listbox", { name: "Suggestions" }).getByRole("option").filter({ hasText: "step" }).first(),
    ).toBeVisible();
    await page.keyboard.press("Escape");

    // The theme is kept, in a cookie that other programs behind the proxy do not get.
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    await page.emulateMedia({ colorScheme: "light" });
    await page.getByRole("link", { name: "Switch theme" }).click();
    await expect.poll(theme).toBe("dark");
    await page.goto(at("/queries"));
    expect(await theme()).toBe("dark");
    const cookies = await context.cookies();
    expect(cookies.map(({ name }) => name).sort()).toEqual(["theme", "tz"]);
    for (const { name, path } of cookies) expect(path, name).toBe("/apm");

    // A form.
    await page.goto(at("/settings"));
    await page.getByRole("textbox", { name: "Service, empty for all" }).fill("based");
    await page.getByRole("textbox", { name: /One setting per line/ }).fill("transaction_sample_rate=0.5");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("row").filter({ hasText: "transaction_sample_rate=0.5" })).toBeVisible();
    await expect(page).toHaveURL(new RegExp(`^${front.own}/apm/settings`));

    // Rows as they arrive.
    await page.goto(at("/live"));
    await expect(page.locator("[data-live-state]")).toHaveText("Listening.");
    await ask(`${server.service}/people`);
    await expect(page.getByRole("row").filter({ hasText: "GET /people" }).first()).toBeVisible();
    await page.getByRole("row").filter({ hasText: "GET /people" }).first().getByRole("link").first().click();
    await expect(page).toHaveURL(/\/apm\/traces\/[0-9a-f]{32}/);

    expect(outside).toEqual([]);
    for (const path of ["/apm/suggest", "/apm/live/stream"]) expect([...asked]).toContain(path);
    front.close();
  });
}
