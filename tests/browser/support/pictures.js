// Pictures for documents: pages of one size and look, written to a folder.
import path from "node:path";

import { chromium } from "@playwright/test";

export async function pictures(folder) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  const context = await browser.newContext({
    viewport: { width: 1360, height: 850 },
    colorScheme: "light",
    locale: "en-GB",
    timezoneId: "UTC",
    reducedMotion: "reduce",
    bypassCSP: true,
  });
  const page = await context.newPage();
  const open = (address) => page.goto(address, { waitUntil: "networkidle" });
  // The page is scrolled until `top`, a selector, is below its header.
  const shot = async (name, top) => {
    if (top)
      await page
        .locator(top)
        .first()
        .evaluate((element) => window.scrollTo(0, element.getBoundingClientRect().top + scrollY - 70));
    await page.screenshot({ path: path.join(folder, `${name}.png`), animations: "disabled" });
    console.log(name);
  };
  return { browser, page, open, shot };
}
