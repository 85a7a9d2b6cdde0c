// Where we are: the address decides what is shown, so that every case and every row has a link.
const views = [...document.querySelectorAll("main > section")];
const show = (id) => {
  for (const s of views) s.hidden = s.id !== id;
  for (const a of document.querySelectorAll(".top nav a")) {
    const here = a.hash === "#" + id || (id === "page" && a.hash === "#matrix");
    if (here) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
  }
};
let current = null; // the case that is shown: { index, column }
const aim = (row) => {
  if (!row) return;
  row.classList.add("aim");
  row.scrollIntoView({ block: "center" });
};
const caseRowOf = (index) => [...table.querySelectorAll("tr.case")].find((r) => +r.dataset.c === index && !r.classList.contains("gone"));

const route = () => {
  let hash = location.hash.slice(1);
  try { hash = decodeURIComponent(hash); } catch { /* taken as it is */ }
  document.querySelectorAll(".aim").forEach((r) => r.classList.remove("aim"));
  const before = current;
  current = null;
  if (hash.startsWith("case/")) {
    const d = data();
    const at = hash.lastIndexOf("@");
    const id = hash.slice(5, at > 0 ? at : undefined);
    const index = d.cases.findIndex((c) => c.id === id);
    if (index >= 0) {
      const named = at > 0 ? d.columns.findIndex((c) => c.name === hash.slice(at + 1)) : -1;
      current = { index, column: named >= 0 ? named : prefer(index) };
      page(current.index, current.column);
      show("page");
      document.title = d.cases[index].id + " · pwspec report";
      if (!before || before.index !== index) scrollTo(0, 0);
      return;
    }
  }
  document.title = "pwspec report";
  if (hash.startsWith("filter/")) {
    input.value = hash.slice(7);
    show("matrix");
    apply();
    scrollTo(0, 0);
    return;
  }
  if (hash.startsWith("req/")) {
    show("matrix");
    const row = document.getElementById(hash);
    if (row) { open(row.closest("tbody"), true); tellFold(); aim(row); }
    return;
  }
  if ((hash === "text" || hash.startsWith("text/")) && $("text")) {
    const [, version, ...id] = hash.split("/");
    show("text");
    textPage(version, id.join("/"));
    if (!id.length) scrollTo(0, 0);
    return;
  }
  // A place within a view.
  const place = document.getElementById(hash);
  const home = place && place.closest("main > section");
  if (home && home !== place && home.id !== "page") {
    show(home.id);
    const shut = place.closest("details");
    if (shut) shut.open = true;
    place.classList.add("aim");
    place.scrollIntoView({ block: "start" });
    return;
  }
  const section = views.find((s) => s.id === hash && s.id !== "page");
  show(section ? hash : "overview");
  if (before && hash === "matrix") {
    const body = sections.find((b) => numbers(b).some((r) => data().matrix[r].includes(before.index)) && !b.classList.contains("gone"));
    if (body) open(body, true);
    const row = caseRowOf(before.index);
    if (row) { aim(row); row.querySelector("a").focus({ preventScroll: true }); return; }
  }
  scrollTo(0, 0);
};
addEventListener("hashchange", route);

/* ---- keys ---- */
const help = $("help");
$("help-open").addEventListener("click", () => help.showModal());
const visible = () => [...table.querySelectorAll("tbody.sec:not(.gone) tr.head, tbody.sec.open:not(.gone) tr.case:not(.gone)")];
const target = (row) => row.querySelector("button, a");
addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || help.open) return;
  const typing = e.target.matches("input, textarea");
  if (e.key === "Escape") {
    if (typing && input.value) { input.value = ""; apply(); }
    else if (typing) input.blur();
    else if (current) location.hash = "matrix";
    else if (input.value) { input.value = ""; apply(); }
    return;
  }
  if (typing) {
    if (e.key === "Enter" && e.target === input) { e.preventDefault(); apply(); const first = visible().find((r) => r.classList.contains("case")) || visible()[0]; if (first) target(first).focus(); }
    return;
  }
  if (e.key === "/") { e.preventDefault(); location.hash = "matrix"; setTimeout(() => { input.focus(); input.select(); }); }
  else if (e.key === "?") help.showModal();
  else if (e.key === "j" || e.key === "k") {
    const by = e.key === "j" ? 1 : -1;
    if (current) {
      const list = around(current.index);
      const to = list[list.indexOf(current.index) + by];
      if (to !== undefined) location.replace(link(to, result(current.column, to) ? current.column : null));
    } else if (!$("matrix").hidden) {
      const rows = visible();
      const at = rows.findIndex((r) => r.contains(document.activeElement));
      const row = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))];
      if (row) { target(row).focus({ preventScroll: true }); row.scrollIntoView({ block: "nearest" }); }
    }
  } else if (current && (e.key === "ArrowLeft" || e.key === "ArrowRight") && !e.target.closest(".lines, .scroll")) {
    const ran = data().columns.map((_, c) => c).filter((c) => result(c, current.index));
    const to = ran[ran.indexOf(current.column) + (e.key === "ArrowRight" ? 1 : -1)];
    if (to !== undefined) location.replace(link(current.index, to));
  }
});

// A short matrix is shown open.
if (data().cases.length <= SHORT) sections.forEach((b) => open(b, true));
tellFold();
route();
root.classList.add("ready");
// The order of the matrix is needed by j and k at the latest; the page is shown first.
if (!order) setTimeout(apply, 50);
