// Forms of objectives, rules and pins, and the setup page, as somebody uses them for the first time.
import { ask } from "../support/service.js";
import { expect, test } from "../support/test.js";

const METADATA = { metadata: { service: { name: "shop", agent: { name: "python", version: "6" } } } };
const request = (number, duration) => ({
  transaction: {
    id: `f${number}`.padEnd(16, "0"),
    trace_id: `f${number}`.padEnd(32, "0"),
    name: "GET /cart",
    type: "request",
    duration,
    timestamp: Date.now() * 1000 - 5e6,
    outcome: "success",
    span_count: { started: 0 },
  },
});
const requests = [METADATA, ...Array.from({ length: 20 }, (_, i) => request(i + 10, i < 2 ? 900 : 20))];
const heading = (page) => page.getByRole("heading", { level: 1 });

test("an objective is set, changed and deleted, and the page keeps its filters", async ({ page, begin }) => {
  const server = await begin(["server"]);
  await server.send(requests);
  await page.clock.install();
  await page.goto(`${server.pages}/slos?from=now-6h&service=shop&refresh=5`);
  await expect(heading(page)).toHaveText("No objectives are set for shop.");
  await page.getByLabel("Name").fill("Carts are quick");
  await expect(page.getByLabel("Service", { exact: true })).toHaveValue("shop");
  await page.getByLabel(/^Longest good request/).fill("500");
  await page.getByLabel("Good requests, %").fill("95");

  // A page does not refresh away typed text, though nothing has the focus.
  let asked = 0;
  page.on("request", (sent) => (asked += new URL(sent.url()).pathname === "/slos" ? 1 : 0));
  await heading(page).click();
  await page.clock.runFor(30_000);
  expect(asked).toBe(0);
  await expect(page.getByLabel("Name")).toHaveValue("Carts are quick");

  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/slos\?from=now-6h&service=shop&refresh=5$/);
  // Two of twenty requests are bad: twice as many as 5 % allow.
  await expect(heading(page)).toHaveText("One objective has used up its budget.");
  await expect(page.locator(".why")).toHaveText(
    "In the last hour, “Carts are quick” used its budget 2 times as fast as allowed.",
  );
  await page.getByRole("link", { name: "Carts are quick" }).click();
  // The form is replaced by that of the objective.
  await expect(page.getByLabel("Name")).toHaveValue("Carts are quick");
  await page.getByLabel("Good requests, %").fill("80");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/slos\?from=now-6h&service=shop&refresh=5$/);
  await expect(heading(page)).toHaveText("The objective is within budget.");
  await page.getByRole("button", { name: "Delete Carts are quick" }).click();
  await expect(heading(page)).toHaveText("No objectives are set for shop.");
});

test("text that is typed while a refresh is on its way is kept", async ({ page, begin }) => {
  const server = await begin(["server"]);
  await page.clock.install();
  await page.goto(`${server.pages}/slos?from=now-6h&refresh=5`);
  const held = [];
  await page.route("**/slos?*", (route) => held.push(route));
  await page.clock.runFor(6_000);
  await expect.poll(() => held.length).toBe(1);
  await page.getByLabel("Name").fill("Carts are quick");
  await heading(page).click();
  const answered = page.waitForEvent("requestfinished", (sent) => new URL(sent.url()).pathname === "/slos");
  await held[0].continue();
  await answered;
  // The page has taken or left the answer when it asks again, which it does without typed text alone.
  await page.clock.runFor(6_000);
  await expect(page.getByLabel("Name")).toHaveValue("Carts are quick");
  expect(held.length).toBe(1);
});

test("a rule is made for a service, silenced and deleted, and the page keeps its filters", async ({ page, begin }) => {
  const server = await begin(["server"]);
  await server.send(requests);
  await page.goto(`${server.pages}/alerts?from=now-6h&refresh=0`);
  await page.getByRole("link", { name: "Failure rate" }).click();
  await expect(page.getByRole("heading", { name: /^New rule/ })).toBeVisible();
  await page.getByLabel("Name").first().fill("Carts fail");
  await page.getByLabel("Service, empty for all").fill("shop");
  await page.locator("#rule").getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/alerts\?from=now-6h&refresh=0$/);
  const row = page.getByRole("row", { name: /Carts fail/ });
  await expect(row).toContainText("shop");
  await row.getByRole("button", { name: "Silence 1 h" }).click();
  await expect(page).toHaveURL(/\/alerts\?from=now-6h&refresh=0$/);
  await expect(row).toContainText("silent until");
  await row.getByRole("button", { name: "Delete" }).click();
  await expect(row).toHaveCount(0);
});

test("a form that is refused says why, and leads back to its page", async ({ page, begin }) => {
  const server = await begin(["server"]);
  await page.goto(`${server.pages}/slos?refresh=0`);
  await page.getByLabel("Name").fill("Odd");
  await page.getByLabel("Service", { exact: true }).fill("shop");
  await page.getByLabel(/^Longest good request/).fill("soon");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(heading(page)).toHaveText("This was not saved.");
  await expect(page.locator(".why")).toContainText("“soon” is not a number");
  await page.getByRole("link", { name: "Back to SLOs" }).click();
  await expect(heading(page)).toHaveText("No objectives are set.");
});

// A colour of the palette, as the browser computes it.
const palette = (page, name) =>
  page.evaluate((name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }, name);

test("the setup page waits at the server's address for the first event, and turns green without a reload", async ({
  page,
  begin,
}) => {
  const server = await begin(["server"]);
  await page.clock.install();
  await page.goto(`${server.pages}/setup?refresh=5`);
  await expect(heading(page)).toHaveText("No event has arrived yet.");
  await expect(page.locator(".waiting")).toContainText(`Waiting for the first event at ${server.pages}`);
  const mark = page.locator(".waiting .mark"),
    colour = () => mark.evaluate((one) => getComputedStyle(one).backgroundColor);
  const green = await palette(page, "good");
  expect(await colour()).not.toBe(green);
  // Every snippet has the address of this server, with what an agent adds to it.
  const snippets = await page.locator(".snippet pre").allTextContents();
  expect(snippets.length).toBeGreaterThan(8);
  const { host } = new URL(server.pages);
  for (const snippet of snippets) expect(snippet).toContain(host);
  // The first event goes to the address that the page says.
  const address = (await page.locator("#env").textContent()).match(/^ELASTIC_APM_SERVER_URL=(\S+)$/m)[1];
  await page.evaluate(() => {
    window.stays = true;
  });
  const { status } = await ask(`${address}/intake/v2/events`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: requests.map((line) => JSON.stringify(line)).join("\n"),
  });
  expect(status).toBe(202);
  await page.clock.runFor(6_000);
  await expect(heading(page)).toHaveText("Events arrive: shop is known.");
  await expect(page.locator(".arrived")).toHaveText("The first event has arrived.");
  expect(await colour()).toBe(green);
  expect(await page.evaluate(() => window.stays), "the page was not loaded again").toBe(true);
});

test.use({ tolerated: [/status of 400/] });
