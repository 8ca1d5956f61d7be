// The live page: what arrives appears, a pause holds it, a filter chooses; settings and other forms that write.
import { ask } from "../support/service.js";
import { expect, test } from "../support/test.js";

const { PLAY } = process.env;
const rows = (page, path) => page.locator("table.live tbody tr").filter({ hasText: path });

test("events appear as they arrive; a pause holds them back, and gives them when it ends", async ({ page, begin }) => {
  const apm = await begin([]);
  const q = 'processor.event: transaction and transaction.name: "GET /people"';
  await page.goto(`${apm.pages}/live?q=${encodeURIComponent(q)}`);
  const pause = page.getByRole("button", { name: "Pause" });
  await expect(pause).toBeVisible();
  await expect(page.locator("[data-live-state]")).toHaveText("Listening.");
  await ask(`${apm.service}/people`);
  await expect(rows(page, "GET /people")).toHaveCount(1);
  await pause.click();
  await ask(`${apm.service}/people`);
  await expect(page.locator("[data-live-state]")).toContainText(/1 new batch/);
  await expect(rows(page, "GET /people")).toHaveCount(1);
  await pause.click();
  await expect(rows(page, "GET /people")).toHaveCount(2);
});

test("the filter chooses what is shown, and its stream takes the place of the one before", async ({ page, begin }) => {
  const apm = await begin([]);
  for (const path of ["/", "/people", "/"]) await ask(apm.service + path);
  await apm.stored("processor.event: transaction", 3);
  await page.goto(`${apm.pages}/live`);
  await expect(page.locator("[data-live-state]")).toHaveText("Listening.");
  // Events that are stored already come first.
  await expect(rows(page, "GET /people")).toHaveCount(1);
  await page.getByRole("textbox", { name: "Show only" }).fill('transaction.name: "GET /"');
  await page.getByRole("textbox", { name: "Show only" }).press("Enter");
  await expect(page).toHaveURL(/q=/);
  await expect(page.locator("[data-live-state]")).toHaveText("Listening.");
  await expect(rows(page, "GET /")).toHaveCount(2);
  await ask(`${apm.service}/people`);
  await ask(`${apm.service}/`);
  await expect(rows(page, "GET /")).toHaveCount(3);
  await expect(rows(page, "GET /people")).toHaveCount(0);
  // A row leads to its trace.
  await rows(page, "GET /").first().getByRole("link").first().click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}/);
});

test("a setting is saved, shown, given to the agent that asks, changed, and removed", async ({ page }) => {
  await page.goto(`${PLAY}/settings`);
  const save = async (settings) => {
    await page.getByRole("textbox", { name: "Service, empty for all" }).fill("other-app");
    await page.getByRole("textbox", { name: /One setting per line/ }).fill(settings);
    await page.getByRole("button", { name: "Save" }).click();
  };
  await save("transaction_sample_rate=0.5\ncapture_body=all");
  const row = page.getByRole("row").filter({ hasText: "other-app" });
  await expect(row).toContainText("transaction_sample_rate=0.5");
  await expect(row).toContainText("capture_body=all");
  const asked = await ask(`${PLAY}/config/v1/agents?service.name=other-app`);
  expect(JSON.parse(asked.text)).toEqual({ transaction_sample_rate: "0.5", capture_body: "all" });
  await save("transaction_sample_rate=0.25");
  await page.goto(`${PLAY}/settings`);
  await expect(row).toHaveCount(1);
  await expect(row).toContainText("transaction_sample_rate=0.25");
  await expect(row).not.toContainText("capture_body");
  expect(JSON.parse((await ask(`${PLAY}/config/v1/agents?service.name=other-app`)).text)).toEqual({
    transaction_sample_rate: "0.25",
  });
  await save("");
  await expect(row).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row).toContainText("transaction_sample_rate=0.25");
  await row.getByRole("link", { name: /Edit/ }).click();
  await expect(page.getByRole("textbox", { name: /One setting per line/ })).toHaveValue("transaction_sample_rate=0.25");
  await row.getByRole("button", { name: /Delete/ }).click();
  await expect(row).toHaveCount(0);
});

test("a setting that is none is refused, with its line and the remedy", async ({ page }) => {
  await page.goto(`${PLAY}/settings`);
  await page.getByRole("textbox", { name: /One setting per line/ }).fill("capture body");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator("body")).toContainText("capture body");
  await expect(page.locator("body")).toContainText("name=value");
});

test("a form that another site sends is refused", async () => {
  const sent = await ask(`${PLAY}/settings/agents`, {
    method: "POST",
    headers: { origin: "http://example.com", "content-type": "application/x-www-form-urlencoded" },
    body: "service=x&settings=a%3D1",
  });
  expect(sent.status).toBe(403);
});

test.use({ tolerated: [/status of 400/] });
