// The query bar: what it suggests while someone types, what it says of a mistake, and that the address holds it.
import { expect, test } from "../support/test.js";

const { ARTICLE } = process.env;
const bar = (page) => page.locator("#q"),
  list = (page) => page.getByRole("listbox", { name: "Suggestions" });
// The list belongs to what is typed, and can be taken.
const ready = (page) => expect(page.locator("#q-list:not([aria-busy])")).toBeVisible();

test("fields and then values are suggested while typing, and chosen by keyboard alone", async ({ page }) => {
  await page.goto(`${ARTICLE}/services/my-app-01/transactions?refresh=0`);
  await page.keyboard.press("/");
  await expect(bar(page)).toHaveAttribute("role", "combobox");
  await page.keyboard.type("transaction.na");
  await expect(list(page).getByRole("option", { name: "transaction.name" })).toBeVisible();
  await expect(list(page).getByRole("option", { name: "service.name" })).toHaveCount(0);
  await ready(page);
  await page.keyboard.press("ArrowDown");
  await expect(list(page).getByRole("option", { name: "transaction.name" })).toHaveAttribute("aria-selected", "true");
  await expect(bar(page)).toHaveAttribute("aria-activedescendant", /^q-\d+$/);
  await page.keyboard.press("Enter");
  await expect(bar(page)).toHaveValue("transaction.name: ");
  // Values of that field come next, by what the newest events have.
  await expect(list(page).getByRole("option").filter({ hasText: "GET /sql-write" })).toBeVisible();
  await page.keyboard.type("sql-g");
  await expect(list(page).getByRole("option")).toHaveCount(1);
  await ready(page);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Tab");
  await expect(bar(page)).toHaveValue(/^transaction\.name: "GET \/sql-group" $/);
  await expect(list(page)).toHaveCount(0);
  await expect(bar(page)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/q=transaction\.name/);
  const rows = page.getByRole("table", { name: "Transactions by name" }).getByRole("rowheader");
  await expect(rows).toHaveText(["GET /sql-group"]);
});

test("Escape closes the suggestions and leaves what was typed; a mouse takes one as well", async ({ page }) => {
  await page.goto(`${ARTICLE}/discover?refresh=0`);
  await bar(page).click();
  await page.keyboard.type("processor.ev");
  await ready(page);
  await page.keyboard.press("Escape");
  await expect(list(page)).toHaveCount(0);
  await expect(bar(page)).toHaveValue("processor.ev");
  await expect(bar(page)).toBeFocused();
  await page.keyboard.type("e");
  await list(page).getByRole("option", { name: "processor.event" }).click();
  await expect(bar(page)).toHaveValue("processor.event: ");
  await list(page).getByRole("option").filter({ hasText: "error" }).click();
  await bar(page).press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/\d+ documents? match/);
});

test("a mistake is told with its place, on a list as in Discover, and nothing is listed as if it fitted", async ({
  page,
}) => {
  for (const [path, query, at, words] of [
    ["/services", "transaction.name:", 17, "Expected a value"],
    ["/services", "service.name: a and (b", 22, "Expected"],
    ["/queries", 'span.subtype: sqlite and url.path: "/a"', 25, "only"],
    ["/discover", "a: 1 or or b: 2", 8, "Expected"],
  ]) {
    await page.goto(`${ARTICLE}${path}?q=${encodeURIComponent(query)}`);
    await expect(bar(page), query).toHaveAttribute("aria-invalid", "true");
    await expect(bar(page), query).toHaveAttribute("aria-describedby", "q-error");
    await expect(page.locator("#q-error"), query).toContainText(words);
    // The caret stands below the place.
    const [text, carets] = (await page.locator("#q-error pre.caret").textContent()).split("\n");
    expect(text, query).toBe(query);
    expect(carets.indexOf("^"), query).toBe(at);
    await expect(page.locator("main tbody tr"), query).toHaveCount(0);
    await expect(bar(page), "what was typed stays, to be mended").toHaveValue(query);
  }
});

test("query, environment, comparison, range and order are in the address; back and forward restore each", async ({
  page,
}) => {
  await page.goto(`${ARTICLE}/services/my-app-01/transactions?refresh=0`);
  const table = page.getByRole("table", { name: "Transactions by name" }),
    rows = table.getByRole("rowheader");
  const all = await rows.count();
  await bar(page).fill("transaction.name: GET*sql*");
  await bar(page).press("Enter");
  await expect(rows).toHaveCount(3);
  await table.getByRole("columnheader", { name: "Avg" }).getByRole("link").click();
  await expect(page).toHaveURL(/sort=-avg/);
  await page.locator(".header summary").filter({ hasText: "vs" }).click();
  await page.locator(".header").getByRole("link", { name: "nothing", exact: true }).click();
  await expect(page).toHaveURL(/cmp=off/);
  await page.locator(".header summary").filter({ hasText: "Last 15 min" }).click();
  await page
    .locator(".header")
    .getByRole("link", { name: /Last hour/ })
    .click();
  await expect(page).toHaveURL(/from=now-1h/);
  const address = new URL(page.url()).searchParams;
  expect(Object.fromEntries(address)).toEqual({
    refresh: "0",
    q: "transaction.name: GET*sql*",
    sort: "-avg",
    cmp: "off",
    from: "now-1h",
  });
  const order = await rows.allInnerTexts();

  await page.goBack();
  await expect(page.locator(".header")).toContainText("Last 15 min");
  await page.goBack();
  await expect(page.locator(".header summary").filter({ hasText: "vs" })).toContainText("previous 15");
  await page.goBack();
  await expect(table.getByRole("columnheader", { name: "Avg" })).not.toHaveAttribute("aria-sort", "descending");
  await page.goBack();
  await expect(rows).toHaveCount(all);
  await expect(bar(page)).toHaveValue("");
  for (let i = 0; i < 4; i++) await page.goForward();
  await expect(page).toHaveURL(/from=now-1h/);
  await expect(bar(page)).toHaveValue("transaction.name: GET*sql*");
  await expect(rows).toHaveText(order);
  await expect(table.getByRole("columnheader", { name: "Avg" })).toHaveAttribute("aria-sort", "descending");
});
