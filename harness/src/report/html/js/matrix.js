// The matrix: sections open and close; the cases of a requirement are built when its section is opened
// for the first time.
const sections = [...document.querySelectorAll(".matrix tbody.sec")];
const table = document.querySelector(".matrix");
const input = $("filter");
let reqRows = null; // row of each requirement, by its number
const rowOf = (i) => (reqRows || (reqRows = [...document.querySelectorAll(".matrix tr.req")]))[i];
let shownColumns = null; // null: all
let passes = null; // the filter's test of a case; null: none
let order = null; // cases that the filter lets through, in the order of the matrix

const caseRow = (i) => {
  const c = data().cases[i];
  const row = el("tr", { class: "case", "data-c": i }, el("th", { scope: "row" }, el("a", { href: link(i, null), title: c.about }, breakable(c.id))));
  data().columns.forEach((k, n) => {
    const r = data().results[n][i];
    if (!r) { row.append(el("td", {})); return; }
    const v = verdict(r[0]);
    row.append(el("td", { class: v.letter, title: v.word + " on " + k.name, "data-k": n }, v.glyph + v.letter));
  });
  return row;
};

const numbers = (body) => [...body.querySelectorAll("tr.req")].map((r) => +r.dataset.r);
const hide = (row) => { if (shownColumns) for (let c = 0; c < row.cells.length - 1; c++) row.cells[c + 1].classList.toggle("gone", !shownColumns.has(c)); };

const build = (body) => {
  if (body.dataset.built) return;
  body.dataset.built = "1";
  for (const r of numbers(body)) {
    const rows = data().matrix[r].map(caseRow);
    rows.forEach(hide);
    rowOf(r).after(...rows);
    const { fates } = req(r);
    [...fates].forEach((f, n) => { if (f !== ".") rowOf(r).cells[n + 1].title = byLetter(f).word + " on " + data().columns[n].name; });
  }
  sift(body);
};

// Shows of a section what the filter lets through; whether anything is left.
const sift = (body) => {
  let any = false;
  for (const r of numbers(body)) {
    const cases = data().matrix[r].filter((i) => !passes || passes(i));
    const gone = !!passes && !cases.length;
    rowOf(r).classList.toggle("gone", gone);
    if (!gone) any = true;
    if (!body.dataset.built) continue;
    for (let row = rowOf(r).nextElementSibling; row && row.classList.contains("case"); row = row.nextElementSibling)
      row.classList.toggle("gone", !!passes && !passes(+row.dataset.c));
  }
  body.classList.toggle("gone", !any);
  return any;
};

const open = (body, yes) => {
  if (yes) build(body);
  body.classList.toggle("open", yes);
  body.querySelector("button").setAttribute("aria-expanded", String(yes));
};
for (const body of sections) {
  const name = body.querySelector(".name");
  const button = el("button", { type: "button", "aria-expanded": "false" }, [...name.childNodes]);
  name.replaceChildren(button);
  button.addEventListener("click", () => open(body, !body.classList.contains("open")));
}
const foldAll = $("fold");
const tellFold = () => { foldAll.textContent = sections.some((b) => b.classList.contains("open")) ? "Close all" : "Open all"; };
foldAll.addEventListener("click", () => {
  const yes = !sections.some((b) => b.classList.contains("open"));
  sections.forEach((b) => { if (!b.classList.contains("gone")) open(b, yes); });
  tellFold();
});
table.addEventListener("click", (e) => {
  const td = e.target.closest("tr.case td[data-k]");
  if (td) location.hash = link(+td.parentNode.dataset.c, +td.dataset.k);
  else if (e.target.closest("tr.head td, tr.req td") && !e.target.closest("a")) {
    const body = e.target.closest("tbody");
    open(body, e.target.closest("tr.req") ? true : !body.classList.contains("open"));
  }
  tellFold();
});

const inOrder = () => [...new Set(data().matrix.flat())];
const MANY = 250; // so many cases are opened at once
const SHORT = 40; // a matrix of so many cases stands open
const apply = () => {
  const text = input.value.trim();
  let filter = null;
  try { filter = text ? compile(text) : null; } catch (e) {
    input.setAttribute("aria-invalid", "true");
    $("hits").textContent = e.message;
    return;
  }
  input.removeAttribute("aria-invalid");
  const all = inOrder();
  const keep = filter ? new Set(all.filter((i) => filter.test(i))) : null;
  const had = passes !== null || shownColumns !== null;
  passes = keep ? (i) => keep.has(i) : null;
  const columns = filter && filter.columns.length < data().columns.length ? new Set(filter.columns) : null;
  if (columns || shownColumns) {
    shownColumns = columns || new Set(data().columns.map((_, c) => c));
    for (const row of table.querySelectorAll("thead tr.abis, tr.head, tr.req, tr.case")) {
      const from = row.classList.contains("abis") ? 0 : 1;
      for (let c = from; c < row.cells.length; c++) row.cells[c].classList.toggle("gone", !shownColumns.has(c - from));
    }
    const heads = table.querySelectorAll("thead .host");
    const shades = table.querySelectorAll("colgroup");
    let at = 0;
    for (const head of heads) {
      const span = +head.dataset.span;
      const left = [...Array(span).keys()].filter((n) => shownColumns.has(at + n)).length;
      head.classList.toggle("gone", !left);
      head.colSpan = Math.max(left, 1);
      const shade = shades[[...heads].indexOf(head) + 1];
      shade.span = Math.max(left, 1);
      shade.classList.toggle("gone", !left);
      at += span;
    }
    if (!columns) shownColumns = null;
  }
  order = keep ? all.filter((i) => keep.has(i)) : all;
  if (keep || had) {
    for (const body of sections) {
      const any = sift(body);
      // Without a filter all is shut again: a whole matrix that stands open is slow and long.
      open(body, any && all.length > SHORT ? !!keep && keep.size <= MANY : any);
    }
    for (const chapter of table.querySelectorAll("tbody.chapter")) {
      let body = chapter.nextElementSibling, any = false;
      for (; body && body.classList.contains("sec"); body = body.nextElementSibling) any = any || !body.classList.contains("gone");
      chapter.classList.toggle("gone", !any);
    }
    tellFold();
  }
  for (const a of document.querySelectorAll("#chips a")) {
    const is = (/^#filter\/(.*)$/.exec(decodeURIComponent(a.hash)) || ["", ""])[1] === text;
    if (is) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
  }
  $("hits").textContent = order.length === all.length ? all.length + " cases" : order.length + " of " + all.length + " cases";
  $("none").hidden = order.length > 0;
};
let pending = 0;
input.addEventListener("input", () => { clearTimeout(pending); pending = setTimeout(apply, 80); });
document.querySelector(".filter").addEventListener("submit", (e) => { e.preventDefault(); apply(); });
