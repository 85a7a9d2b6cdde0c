// Drives a report in headless Chromium as a reader would, from file://, and fails on what a reader
// would stumble over. node look.mjs REPORT SHOTS [PWSPEC]
// With PWSPEC the filter box is held against `pwspec list`: both must mean the same cases.
import { execFileSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import puppeteer from "puppeteer-core";

const [, , file, shots, pwspec] = process.argv;
const report = "file://" + resolve(file);
mkdirSync(shots, { recursive: true });
const wrong = [];
const must = (yes, what) => { if (!yes) wrong.push(what); };

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const open = async (width, scheme, hash = "") => {
  const page = await browser.newPage();
  await page.setViewport({ width, height: 1000 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  page.on("console", (m) => wrong.push(`console, ${width} px ${hash}: ${m.text()}`));
  page.on("pageerror", (e) => wrong.push(`error, ${width} px ${hash}: ${e.message}`));
  page.on("request", (r) => { if (!r.url().startsWith("file:")) wrong.push(`it asked for ${r.url()}`); });
  await page.goto(report + hash);
  await page.waitForFunction(() => document.documentElement.classList.contains("ready"));
  return page;
};
const go = async (page, hash) => {
  await page.evaluate((h) => { location.hash = h; }, hash);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
};
const text = (page, selector) => page.$eval(selector, (e) => e.textContent.trim()).catch(() => null);

/* ---- what there is ---- */
const first = await open(1280, "light");
const views = await first.$$eval(".top nav a", (all) => all.map((a) => a.hash));
const data = await first.evaluate(() => {
  const d = JSON.parse(document.getElementById("data").textContent);
  const bad = (r) => r && "FURTCD".includes(d.verdicts[r[0]][2]);
  const column = d.columns.findIndex((c, n) => d.results[n].some(bad));
  const at = column < 0 ? 0 : column;
  const index = d.results[at].findIndex((r) => (column < 0 ? r : bad(r)));
  return { cases: d.cases.length, columns: d.columns.map((c) => c.name), case: d.cases[index].id, column: d.columns[at].name, reference: d.columns[at].reference, failed: column >= 0, req: d.reqs[d.cases[index].reqs[0]][0], abi: d.columns[at].abi };
});
const link = `#case/${data.case}@${data.column}`;

/* ---- a case, by its link and by hand ---- */
await go(first, link);
must((await text(first, "#page h1")) === data.case, `${link} does not lead to its case`);
must(await first.$("#page .lines li"), `${link} shows no trace`);
must(!data.failed || (await first.$("#page .lines li.bad")), `${link}: no line is marked as failed`);
if (!data.reference) must((await first.$$eval("#page .traces h3", (all) => all.map((h) => h.textContent))).some((t) => t.includes("not a norm")), "the reference host's trace is not headed so");
must((await text(first, ".command pre")).includes(`pwspec run ${data.case} `), "no command runs the case again");
await go(first, "#req/" + data.req);
must(await first.$("tr.req.aim"), `#req/${data.req} aims at no row`);
must((await first.$eval("tr.req.aim", (r) => r.getBoundingClientRect().height)) > 0, `#req/${data.req} is not seen`);
await first.click("tr.req.aim ~ tr.case:not(.gone) a");
must((await first.evaluate(() => location.hash)).startsWith("#case/"), "a case does not open by click");
if (views.includes("#text")) {
  await go(first, `#text/${data.abi}/${data.req}`);
  must(await first.$("#text li.aim"), `#text/${data.abi}/${data.req} aims at no row`);
}

/* ---- the filter, by keyboard ---- */
const hits = async (page, filter) => {
  await page.evaluate((f) => { const i = document.getElementById("filter"); i.value = f; i.form.requestSubmit(); }, filter);
  return { said: await text(page, "#hits"), bad: await page.$eval("#filter", (i) => i.getAttribute("aria-invalid") === "true") };
};
await go(first, "#overview");
await first.keyboard.press("/");
await first.evaluate(() => new Promise((done) => setTimeout(done, 50)));
must(await first.evaluate(() => document.activeElement?.id === "filter"), "/ does not lead to the filter");
await first.keyboard.type("level:must");
await first.keyboard.press("Enter");
must(/^\d+ (of \d+ )?cases$/.test(await text(first, "#hits")), "the filter says no number of cases");
await first.keyboard.press("j");
must(await first.evaluate(() => !!document.activeElement?.closest("tr")), "j leads to no row");
must((await hits(first, "levle:must")).bad, "an unknown key is no error");
must((await hits(first, "(level:must")).bad, "an open bracket is no error");
must((await hits(first, `id:${data.case}`)).said === `1 of ${data.cases} cases`, "a case is not found by its id");
const area = data.case.split("/")[0];
if (pwspec) {
  const filters = [`area:${area}`, "level:must", "level:survey & !area:pairs", "!(level:must | area:log)", "covers:proxy_get_header_map_value/*", "covers:*/OK & area:{fields,buffers}", "abi:0.1.0", "abi:0.2.1 & !abi:0.1.0", "area:f*", area + "/", "id:*/ok", data.case];
  for (const filter of filters) {
    let names = "";
    try { names = execFileSync(pwspec, ["list", filter, "--format", "names"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }); } catch { /* nothing is selected */ }
    const theirs = names.split("\n").filter(Boolean).length;
    const ours = await hits(first, filter);
    const number = +ours.said.split(" ")[0];
    // In a column a term about its ABI speaks of that column; the command line speaks of the case.
    const columns = filter.includes("!abi");
    must(columns || number === theirs, `${filter}: ${ours.said} here, ${theirs} in pwspec list`);
  }
}
await hits(first, "");

/* ---- the keyboard: a ring round what has the focus, and ways out ---- */
await go(first, "#overview");
await first.evaluate(() => document.activeElement?.blur());
const ringed = () => first.evaluate(() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const s = getComputedStyle(e);
  const seen = e.getBoundingClientRect();
  return { what: e.outerHTML.slice(0, 100), ring: (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== "none", seen: seen.width > 0 && seen.height > 0 };
});
const reached = new Set();
for (let n = 0; n < 16; n++) {
  await first.keyboard.press("Tab");
  const at = await ringed();
  if (!at) break;
  reached.add(at.what);
  must(at.ring, `no ring round ${at.what}`);
  must(at.seen, `the focus is on what is not seen: ${at.what}`);
}
must(reached.size > 8, `Tab reaches ${reached.size} things of the overview`);
await go(first, link);
await first.keyboard.press("Escape");
must(/^#(matrix|filter)/.test(await first.evaluate(() => location.hash)), "Esc does not lead from a case to the matrix");
await hits(first, "level:must");
await first.evaluate(() => document.activeElement?.blur());
await first.keyboard.press("Escape");
must((await text(first, "#hits")) === `${data.cases} cases`, "Esc does not drop the filter");
await first.keyboard.press("?");
must(await first.$("#help[open]"), "? does not open the help");
await first.keyboard.press("Escape");
must(!(await first.$("#help[open]")), "Esc does not close the help");

/* ---- on paper ---- */
await first.emulateMediaType("print");
for (const view of [...views, link]) {
  await go(first, view);
  const cut = await first.evaluate(() => [...document.querySelectorAll("main *")].filter((e) => e.clientHeight > 0 && e.scrollHeight > e.clientHeight + 40 && ["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowY)).map((e) => e.outerHTML.slice(0, 80)));
  must(cut.length === 0, `${view}: paper cuts ${cut.slice(0, 2).join(" | ")}`);
}
await first.emulateMediaType("screen");

/* ---- the theme ---- */
const paper = () => first.$eval("body", (b) => getComputedStyle(b).backgroundColor);
const before = await paper();
await first.click("#theme");
must((await paper()) !== before, "the theme does not switch");
await first.reload();
await first.waitForFunction(() => document.documentElement.classList.contains("ready"));
must((await paper()) !== before, "the theme is forgotten");
await first.evaluate(() => localStorage.clear());
await first.close();

/* ---- every view: width, look, accessibility ---- */
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const all = [...views, "#filter/verdict:failing", link, "#req/" + data.req];
for (const scheme of ["light", "dark"])
  for (const width of [375, 1280, 1920]) {
    const page = await open(width, scheme);
    await page.setBypassCSP(true);
    await page.reload();
    for (const view of all) {
      await go(page, view);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      must(wide <= width, `${view} is ${wide} px wide at ${width} px`);
      const name = view.slice(1).replace(/[^a-z0-9]+/gi, "-").slice(0, 40);
      await page.screenshot({ path: `${shots}/${name}-${width}-${scheme}.png` });
      // Once narrow and light, once wide and dark: a whole matrix is a long read for it.
      if (`${width} ${scheme}` !== "375 light" && `${width} ${scheme}` !== "1280 dark") continue;
      await page.addScriptTag({ path: axe });
      const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"], rules: { "color-contrast": { enabled: true } } }));
      for (const v of found.violations.filter((v) => ["serious", "critical"].includes(v.impact)))
        wrong.push(`axe, ${view}, ${width} px, ${scheme}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 160)).join(" | ")}`);
    }
    await page.close();
  }

/* ---- how fast: printed, not asserted ---- */
const best = (all) => Math.min(...all).toFixed(0) + " ms";
const took = { interactive: [], key: [], page: [] };
for (let n = 0; n < 3; n++) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 1000 });
  await page.goto(report + "#matrix");
  await page.waitForFunction(() => document.documentElement.classList.contains("ready"));
  // From the start of the navigation until the page has taken a filter and shown what is left.
  took.interactive.push(await page.evaluate(() => {
    const input = document.getElementById("filter");
    input.value = "level:must";
    input.form.requestSubmit();
    document.body.getBoundingClientRect();
    return performance.now();
  }));
  // From a key in the filter until the rows that fit are laid out: the wait for more keys is part of it.
  await page.evaluate(() => { const i = document.getElementById("filter"); i.value = ""; i.form.requestSubmit(); i.value = "verdict:failin"; i.focus(); });
  took.key.push(await page.evaluate(() => new Promise((done) => {
    const from = performance.now();
    const input = document.getElementById("filter"), hits = document.getElementById("hits");
    new MutationObserver((_, me) => { me.disconnect(); document.body.getBoundingClientRect(); requestAnimationFrame(() => done(performance.now() - from)); }).observe(hits, { childList: true });
    input.value = "verdict:failing";
    input.dispatchEvent(new Event("input", { bubbles: true }));
  })));
  // From following a link to a case until it is laid out.
  took.page.push(await page.evaluate((hash) => new Promise((done) => {
    const from = performance.now();
    addEventListener("hashchange", () => { document.body.getBoundingClientRect(); requestAnimationFrame(() => done(performance.now() - from)); }, { once: true });
    location.hash = hash;
  }), link));
  await page.close();
}
await browser.close();
const size = statSync(file).size;
console.log(`${(size / 1e6).toFixed(2)} MB, ${data.columns.length} columns × ${data.cases} cases; best of 3: a filter works ${best(took.interactive)} after the start, a key in it shows its result after ${best(took.key)}, a case opens in ${best(took.page)}`);
for (const w of [...new Set(wrong)]) console.error("wrong: " + w);
process.exit(wrong.length ? 1 : 0);
