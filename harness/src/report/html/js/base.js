// What every view uses: elements, the block of data, marks, numbered lines. All text goes in through
// textContent: nothing from a record is ever read as HTML.
const $ = (id) => document.getElementById(id);
const root = document.documentElement;

const el = (tag, attrs, ...kids) => {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) {
    if (v === true) node.setAttribute(k, "");
    else if (v !== false && v !== null && v !== undefined) node.setAttribute(k, v);
  }
  node.append(...kids.flat(9).filter((k) => k !== null && k !== undefined && k !== ""));
  return node;
};

let parsed = null;
const data = () => parsed || (parsed = JSON.parse($("data").textContent));
const lines = (list) => data().lists[list].map((i) => data().lines[i]);
// A trace is a list of blocks of lines: here the numbers of its lines.
const traceLines = (list) => data().lists[list].flatMap((block) => data().lists[block]);

// A result by name instead of position; null: the case did not run there.
const result = (column, index) => {
  const r = data().results[column][index];
  if (!r) return null;
  const [verdict, gate, checks, marks, trace, observed, words, log, wire, time, drift, company] = r;
  return { verdict, gate, checks, marks, trace, observed, words, log, wire, time, drift, company };
};
const verdict = (v) => {
  const [word, glyph, letter] = data().verdicts[v];
  return { word, glyph, letter };
};
const byLetter = (letter) => {
  const [word, glyph] = data().verdicts.find((v) => v[2] === letter);
  return { word, glyph, letter };
};
const badge = (v, text) => {
  const { word, glyph, letter } = verdict(v);
  return el("span", { class: "v " + letter }, glyph + letter + " " + (text || word));
};
const req = (i) => {
  const [id, level, seat, section, text, ruling, excluded, fates] = data().reqs[i];
  return { id, level, seat, section, text, ruling, excluded, fates };
};
// Milliseconds or seconds, from tenths of a millisecond.
const duration = (tenths) => (tenths < 10000 ? (tenths / 10).toFixed(1) + " ms" : (tenths / 10000).toFixed(2) + " s");
// An id that may break behind its slashes and underscores.
const breakable = (id) => id.split(/(?<=[/_])/).flatMap((piece, n) => (n ? [el("wbr", {}), piece] : [piece]));
const link = (index, column) => "#case/" + data().cases[index].id + (column === null ? "" : "@" + data().columns[column].name);

// Where the text of a version stands on the web; followed only when somebody clicks.
const textLink = (abi, section) => {
  const version = /^\d+\.\d+\.\d+$/.test(abi) ? abi : "0.2.1";
  const slug = section.split(": ").pop().toLowerCase().replace(/[^a-z0-9_ -]/g, "").replace(/ /g, "-");
  return data().link.replace("0.2.1", version) + slug;
};
const outward = (abi, section, text) => el("a", { class: "out", href: textLink(abi, section), rel: "noreferrer" }, text, el("span", { "aria-hidden": "true" }, " ↗"));

// Numbered lines; `marks` by number: { cls, tell }; `odd`: positions that differ from the other side.
const listing = (texts, { first = 1, marks = new Map(), odd = new Set(), label }) => {
  const list = el("ol", {});
  texts.forEach((text, n) => {
    const mark = marks.get(first + n);
    const cls = mark ? mark.cls : odd.has(n) ? "differs" : null;
    const sign = mark && mark.cls === "bad" ? "✗ " : mark && mark.cls === "ok" ? "✓ " : odd.has(n) ? "~ " : "";
    list.append(el("li", { class: cls }, el("i", {}, sign + (first + n)), el("span", {}, text)));
    if (mark && mark.tell) list.append(el("li", { class: "tell" }, el("i", {}), el("span", {}, mark.tell)));
  });
  return el("div", { class: "lines", tabindex: "0", role: "region", "aria-label": label }, list);
};

/* ---- theme: the reader's choice is kept where the browser lets a file keep something ---- */
const keep = { get: () => { try { return localStorage.getItem("pwspec-theme"); } catch { return null; } }, set: (v) => { try { localStorage.setItem("pwspec-theme", v); } catch { /* not kept */ } } };
const wished = new URLSearchParams(location.search).get("theme") || keep.get();
if (wished === "dark" || wished === "light") root.dataset.theme = wished;
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
$("theme").addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  keep.set(root.dataset.theme);
});
