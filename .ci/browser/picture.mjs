// Takes the pictures of the README from a report: node picture.mjs REPORT FOLDER
// report-light.png and report-dark.png of the overview, as it stands on an ordinary screen.
import { resolve } from "node:path";
import puppeteer from "puppeteer-core";

const [, , file, folder] = process.argv;
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
});
for (const scheme of ["light", "dark"]) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 800, deviceScaleFactor: 1.5 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto("file://" + resolve(file) + "#overview");
  await page.waitForFunction(() => document.documentElement.classList.contains("ready"));
  // No half of a host at the lower edge.
  const low = await page.evaluate(() => {
    const ends = [...document.querySelectorAll(".host-card")].map((c) => c.getBoundingClientRect().bottom);
    return Math.max(...ends.filter((y) => y <= 800), 400);
  });
  await page.screenshot({ path: `${folder}/report-${scheme}.png`, clip: { x: 0, y: 0, width: 1280, height: Math.min(800, Math.ceil(low) + 12) } });
  await page.close();
}
await browser.close();
