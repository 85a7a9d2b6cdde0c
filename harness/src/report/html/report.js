"use strict";
// Navigation, filter and case pages. All text goes in through textContent: nothing from a record is
// ever read as HTML.
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;

  const el = (tag, attrs, ...kids) => {
    const node = document.createElement(tag);
    for (const [k, v] of Object.entries(attrs || {})) {
      if (v === true) node.setAttribute(k, "");
      else if (v !== false && v !== null && v !== undefined) node.setAttribute(k, v);
    }
    node.append(...kids.flat().filter((k) => k !== null && k !== undefined && k !== ""));
    return node;
  };

  let parsed = null;
  const data = () => parsed || (parsed = JSON.parse($("data").textContent));
  const lines = (list) => data().lists[list].map((i) => data().lines[i]);

  // A result by name instead of position; null: the case did not run there.
  const result = (column, index) => {
    const r = data().results[column][index];
    if (!r) return null;
    const [verdict, level, gate, checks, marks, trace, observed, words, log, wire, time, drift, company] = r;
    return { verdict, level, gate, checks, marks, trace, observed, words, log, wire, time, drift, company };
  };
  const verdict = (v) => {
    const [word, glyph, letter] = data().verdicts[v];
    return { word, glyph, letter };
  };
  const badge = (v, text) => {
    const { word, glyph, letter } = verdict(v);
    return el("span", { class: "v " + letter }, glyph + letter + " " + (text || word));
  };

  /* ---- theme ---- */
  const query = new URLSearchParams(location.search).get("theme");
  if (query === "dark" || query === "light") root.dataset.theme = query;
  $("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  /* ---- filter: terms joined by & | ! and brackets; a space is & ---- */
  const tokens = (text) => text.match(/[&|!()]|"[^"]*"|[^\s&|!()"]+(?:"[^"]*")?/g) || [];
  const term = (raw) => {
    const word = raw.replace(/"/g, "").toLowerCase();
    const cut = word.indexOf(":");
    const key = cut > 0 ? word.slice(0, cut) : "";
    const want = word.slice(cut + 1);
    const has = (text) => text.toLowerCase().includes(want);
    const d = data();
    const any = (test) => (i, cols) => cols.some((c) => { const r = result(c, i); return r && test(r); });
    switch (key) {
      case "verdict": return any((r) => verdict(r.verdict).word === want || (want === "failing" && "FURTCD".includes(verdict(r.verdict).letter)));
      case "gate": return any((r) => r.gate.includes(want));
      case "is": return any((r) => (want === "drift" && r.drift) || (want === "company" && r.company));
      case "level": return (i) => d.cases[i].level === want;
      case "area": return (i) => d.cases[i].area.toLowerCase() === want;
      case "tag": return (i) => d.cases[i].tags.some((t) => t.toLowerCase() === want);
      case "covers": {
        const test = want.endsWith("*") ? (id) => id.toLowerCase().startsWith(want.slice(0, -1)) : has;
        return (i) => d.cases[i].reqs.some((r) => test(d.reqs[r][0]));
      }
      case "id": return (i) => has(d.cases[i].id);
      case "host": return null;
      case "":
        return (i) => {
          const c = d.cases[i];
          return (c.id + " " + c.about + " " + c.reqs.map((r) => d.reqs[r][0] + " " + d.reqs[r][4]).join(" ")).toLowerCase().includes(word);
        };
      default: throw new Error("no term " + key + ":");
    }
  };
  // → { test(case index), columns shown }
  const compile = (text) => {
    const list = tokens(text);
    const all = data().columns.map((_, i) => i);
    const hosts = list.filter((t, i) => /^host:/i.test(t) && list[i - 1] !== "!").map((t) => t.slice(5).replace(/"/g, "").toLowerCase());
    const not = list.filter((t, i) => /^host:/i.test(t) && list[i - 1] === "!").map((t) => t.slice(5).replace(/"/g, "").toLowerCase());
    const name = (c) => data().columns[c].name.toLowerCase();
    const cols = all.filter((c) => (!hosts.length || hosts.some((h) => name(c).includes(h))) && !not.some((h) => name(c).includes(h)));
    let at = 0;
    const or = () => { const parts = [and()]; while (list[at] === "|") { at++; parts.push(and()); } return (i) => parts.some((p) => p(i)); };
    const and = () => {
      const parts = [];
      while (at < list.length && list[at] !== "|" && list[at] !== ")") { if (list[at] === "&") { at++; continue; } parts.push(one()); }
      return (i) => parts.every((p) => p(i));
    };
    const one = () => {
      const t = list[at++];
      if (t === "!") {
        if (at >= list.length) return () => true;
        // `!host:x` has been dealt with: it hides a column.
        if (/^host:/i.test(list[at])) { at++; return () => true; }
        const inner = one();
        return (i) => !inner(i);
      }
      if (t === "(") { const inner = or(); if (list[at] === ")") at++; return inner; }
      const test = term(t);
      return test ? (i) => test(i, cols) : () => true;
    };
    const test = or();
    if (at < list.length) throw new Error("too many )");
    return { test, cols };
  };

  const bodies = [...document.querySelectorAll(".matrix tbody")];
  const caseRows = [...document.querySelectorAll(".matrix tr.case")];
  const input = $("filter");
  let order = null; // case indexes that the filter lets through, in the order of the matrix
  let hiddenCols = "";
  let filtered = false;
  const total = new Set(caseRows.map((r) => r.dataset.c)).size;
  const apply = () => {
    if (!input.value.trim() && !filtered) {
      order = [...new Set(caseRows.map((r) => +r.dataset.c))];
      $("hits").textContent = total + " cases";
      return;
    }
    filtered = true;
    let filter;
    try { filter = compile(input.value); } catch (e) {
      input.setAttribute("aria-invalid", "true");
      $("hits").textContent = e.message;
      return;
    }
    input.removeAttribute("aria-invalid");
    const seen = new Set();
    for (const body of bodies) {
      let req = null, any = false, shown = false;
      const close = () => { if (req) req.classList.toggle("gone", !any); };
      for (const row of body.rows) {
        if (row.classList.contains("req")) { close(); req = row; any = false; }
        else if (row.classList.contains("case")) {
          const i = +row.dataset.c;
          const ok = filter.test(i);
          row.classList.toggle("gone", !ok);
          if (ok) { any = shown = true; seen.add(i); }
        }
      }
      close();
      body.classList.toggle("gone", !shown);
    }
    const key = filter.cols.join();
    if (key !== hiddenCols) {
      hiddenCols = key;
      for (const row of document.querySelectorAll(".matrix tr:not(.sec)")) {
        for (let c = 1; c < row.cells.length; c++) row.cells[c].classList.toggle("gone", !filter.cols.includes(c - 1));
      }
    }
    order = [...seen];
    $("hits").textContent = order.length === total ? total + " cases" : order.length + " of " + total + " cases";
    $("none").hidden = order.length > 0;
  };
  let pending = 0;
  input.addEventListener("input", () => { clearTimeout(pending); pending = setTimeout(apply, 80); });
  document.querySelector(".filter").addEventListener("submit", (e) => { e.preventDefault(); apply(); });

  /* ---- sections that fold ---- */
  for (const body of bodies) {
    const span = body.querySelector(".sec span");
    const button = el("button", { type: "button", "aria-expanded": "true" }, span.textContent);
    span.replaceWith(button);
    button.addEventListener("click", () => fold(body, !body.classList.contains("folded")));
  }
  const fold = (body, yes) => {
    body.classList.toggle("folded", yes);
    body.querySelector(".sec button").setAttribute("aria-expanded", String(!yes));
  };
  $("fold").addEventListener("click", (e) => {
    const yes = bodies.some((b) => !b.classList.contains("folded"));
    bodies.forEach((b) => fold(b, yes));
    e.currentTarget.textContent = yes ? "Unfold all" : "Fold all";
  });

  /* ---- cells of the matrix: a word on hover, the case page on click ---- */
  const table = document.querySelector(".matrix");
  table.addEventListener("mouseover", (e) => {
    const td = e.target.closest("td[aria-label]");
    if (td && !td.title) td.title = td.getAttribute("aria-label") + " · " + data().columns[td.cellIndex - 1].name;
  });
  table.addEventListener("click", (e) => {
    const td = e.target.closest("tr.case td[aria-label]");
    if (td) location.hash = link(+td.parentNode.dataset.c, td.cellIndex - 1);
  });

  /* ---- case page ---- */
  const link = (index, column) => "case/" + data().cases[index].id + (column === null ? "" : "@" + data().columns[column].name);
  const prefer = (index) => {
    const d = data();
    const ran = d.columns.map((_, c) => c).filter((c) => result(c, index));
    const bad = ran.find((c) => "FURTCDNB".includes(verdict(result(c, index).verdict).letter));
    return bad !== undefined ? bad : ran.find((c) => !d.columns[c].reference) ?? ran[0] ?? 0;
  };
  const OUTCOMES = [["✓ pass", "P"], ["✗ fail", "F"], ["– never reached", "O"]];

  // Which lines of `a` are not in `b`, by the longest common subsequence.
  const differs = (a, b) => {
    if (a.length * b.length > 250000) return new Set();
    const w = b.length + 1, table = new Uint16Array((a.length + 1) * w);
    for (let i = a.length - 1; i >= 0; i--)
      for (let j = b.length - 1; j >= 0; j--)
        table[i * w + j] = a[i] === b[j] ? table[(i + 1) * w + j + 1] + 1 : Math.max(table[(i + 1) * w + j], table[i * w + j + 1]);
    const out = new Set();
    let i = 0, j = 0;
    while (i < a.length) {
      if (j < b.length && a[i] === b[j]) { i++; j++; }
      else if (j < b.length && table[i * w + j + 1] >= table[(i + 1) * w + j]) j++;
      else out.add(i++);
    }
    return out;
  };

  // Numbered lines; `marks` by number: { cls, tell }.
  const listing = (texts, options) => {
    const { first = 1, marks = new Map(), odd = new Set(), label } = options;
    const list = el("ol", {});
    texts.forEach((text, n) => {
      const mark = marks.get(first + n);
      const cls = mark ? mark.cls : odd.has(n) ? "differs" : null;
      const sign = mark && mark.cls === "bad" ? "✗ " : mark && mark.cls === "ok" ? "✓ " : odd.has(n) ? "~ " : "";
      list.append(el("li", { class: cls }, el("i", {}, sign + (first + n)), el("span", {}, text)));
      if (mark && mark.tell) list.append(el("li", { class: "tell" }, el("i", {}), el("span", {}, mark.tell)));
    });
    return el("div", { class: "lines", tabindex: "0", role: "group", "aria-label": label }, list);
  };

  const traceMarks = (r) => {
    const marks = new Map();
    const checks = data().lists[r.checks];
    data().lists[r.marks].forEach((line, n) => {
      if (!line) return;
      const [name, , , , outcome, , got] = checks[n];
      if (outcome === 1) {
        const tell = name + ": got " + data().lines[got];
        const old = marks.get(line);
        marks.set(line, { cls: "bad", tell: old && old.tell ? old.tell + "\n" + tell : tell });
      } else if (outcome === 0 && !marks.has(line)) marks.set(line, { cls: "ok" });
    });
    return marks;
  };

  const copy = (text) => {
    const done = (button) => { button.textContent = "Copied"; setTimeout(() => (button.textContent = "Copy"), 1500); };
    const button = el("button", { type: "button" }, "Copy");
    button.addEventListener("click", () => {
      const old = () => {
        const area = el("textarea", {}, text);
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
        done(button);
      };
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => done(button), old);
      else old();
    });
    return button;
  };

  const asked = (c) => el("div", { class: "asked" }, c.reqs.map((i) => {
    const [id, level, seat, section, text, ruling] = data().reqs[i];
    return el("div", {},
      el("p", {}, el("a", { class: "id", href: "#req/" + id }, id), " ", el("small", { class: "l " + level }, level), " ", el("small", {}, seat + " · " + section)),
      el("p", {}, text),
      ruling ? el("p", { class: "ruling" }, el("b", {}, "Ruling. "), ruling) : null);
  }));

  const checkTable = (c, r) => {
    const rows = data().lists[r.checks].map(([name, req, level, control, outcome, expected, got, line, column]) => {
      const [word, cls] = OUTCOMES[outcome];
      const id = typeof req === "number" ? data().reqs[req][0] : req;
      const place = line ? c.file + ":" + line + (column ? ":" + column : "") : "";
      return el("tr", {},
        el("td", { class: "outcome" }, el("span", { class: "v " + cls }, word)),
        el("th", { scope: "row" }, name, control ? el("small", {}, " control") : null),
        el("td", {}, level), el("td", {}, el("code", {}, id)),
        el("td", { class: "said" }, el("code", {}, data().lines[expected])), el("td", { class: "said" }, el("code", {}, data().lines[got])),
        el("td", {}, el("small", {}, place.split("/").pop())));
    });
    if (!rows.length) return null;
    const heads = ["Outcome", "Check", "Level", "Requirement", "Expected", "Got", "At"].map((h) => el("th", { scope: "col" }, h));
    return [el("h2", {}, "Checks"), el("div", { class: "scroll" }, el("table", { class: "list checks" }, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows)))];
  };

  const page = (index, column) => {
    const d = data(), c = d.cases[index];
    const r = result(column, index);
    const host = d.columns[column];
    const strip = d.columns.map((k, n) => {
      const there = result(n, index);
      if (!there) return null;
      const v = verdict(there.verdict);
      const button = el("button", { type: "button", "aria-pressed": String(n === column), "aria-label": k.name + ": " + v.word },
        el("b", { class: v.letter }, v.glyph + v.letter), k.name);
      button.addEventListener("click", () => { location.replace("#" + link(index, n)); });
      return button;
    });
    const list = order && order.includes(index) ? order : d.cases.map((_, i) => i);
    const at = list.indexOf(index);
    const step = (to, text) => (to === undefined ? null : el("a", { href: "#" + link(to, null) }, text));
    const out = [
      el("p", { class: "crumbs" }, el("a", { href: "#matrix" }, "Matrix"), el("span", {}, (at + 1) + " of " + list.length),
        el("span", { class: "step" }, step(list[at - 1], "← previous"), step(list[at + 1], "next →"))),
      el("h1", { id: "h-page" }, c.id), el("p", { class: "about" }, c.about),
      el("p", { class: "meta" }, el("span", {}, c.level || ""), el("span", { class: "mono" }, c.file + ":" + c.line), c.tags.length ? el("span", {}, "tags: " + c.tags.join(", ")) : null),
      el("div", { class: "strip", role: "group", "aria-label": "Hosts" }, strip),
    ];
    if (r) {
      const words = lines(r.words), observed = d.lists[r.observed];
      const calm = "PSO".includes(verdict(r.verdict).letter);
      const notes = observed.map(([what, answer]) => what + ": " + answer).concat(words);
      out.push(el("h2", {}, "On " + host.name), el("p", { class: "outcome-line" }, badge(r.verdict), r.gate ? el("small", {}, r.gate) : null, r.time ? el("small", {}, (r.time / 10).toFixed(1) + " ms") : null));
      if (notes.length) out.push(el("ul", { class: "because" + (calm ? " calm" : "") }, notes.map((w) => el("li", {}, w))));
    }
    out.push(el("h2", {}, "What is asked"), asked(c));
    if (r) {
      out.push(...(checkTable(c, r) || []));
      const ref = host.beside === null ? null : result(host.beside, index);
      const own = d.lists[r.trace], theirs = ref ? d.lists[ref.trace] : [];
      if (own.length || theirs.length) {
        const panes = [el("div", {}, el("h3", {}, host.reference ? host.name + ": reference host (not a norm)" : host.name),
          own.length ? listing(lines(r.trace), { marks: traceMarks(r), odd: ref ? differs(own, theirs) : new Set(), label: "Trace of " + host.name }) : el("p", { class: "quiet" }, "Nothing was seen at the boundary."))];
        if (ref) panes.push(el("div", {}, el("h3", {}, "reference host (not a norm)", el("small", {}, " " + d.columns[host.beside].abi)), listing(lines(ref.trace), { odd: differs(theirs, own), label: "Trace of the reference host" })));
        out.push(el("h2", {}, "Trace"), el("div", { class: "traces" + (ref ? " two" : "") }, panes));
      }
    }
    const marks = new Map();
    if (r) for (const [name, , , , outcome, , got, line] of d.lists[r.checks]) if (outcome === 1) marks.set(line, { cls: "bad", tell: name + ": got " + d.lines[got] });
    const lead = " ".repeat(c.indent || 0);
    out.push(el("h2", {}, "The case"), listing(lines(c.yaml).map((l) => lead + l), { first: c.line, marks, label: "YAML of the case" }));
    if (r && r.drift) out.push(el("details", { open: true }, el("summary", {}, "Against the snapshot"), listing(lines(r.drift), { label: "Difference to the snapshot" })));
    if (r && r.log) out.push(el("details", {}, el("summary", {}, "Host log"), listing(lines(r.log), { label: "Host log" })));
    if (r && r.wire) out.push(el("details", {}, el("summary", {}, "Wire"), listing(lines(r.wire), { label: "Wire" })));
    const command = host.again.replace("CASE", c.id);
    out.push(el("h2", {}, "Run it again"), el("div", { class: "command" }, el("pre", {}, command), copy(command)));
    $("page").replaceChildren(...out.flat().filter(Boolean));
  };

  /* ---- where we are ---- */
  const sections = [...document.querySelectorAll("main > section")];
  const show = (id) => {
    for (const s of sections) s.hidden = s.id !== id;
    for (const a of document.querySelectorAll(".top nav a")) {
      const here = a.hash === "#" + id || (id === "page" && a.hash === "#matrix");
      if (here) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
    }
  };
  let current = null; // { index, column }
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
      apply();
      show("matrix");
      scrollTo(0, 0);
      return;
    }
    if (hash.startsWith("req/")) {
      show("matrix");
      const row = document.getElementById(hash);
      if (row) { fold(row.closest("tbody"), false); row.classList.add("aim"); row.scrollIntoView({ block: "center" }); }
      return;
    }
    const section = sections.find((s) => s.id === hash && s.id !== "page");
    show(section ? hash : "overview");
    if (before && hash === "matrix") {
      const row = caseRows.find((r) => +r.dataset.c === before.index && !r.classList.contains("gone"));
      if (row) { row.classList.add("aim"); row.scrollIntoView({ block: "center" }); row.querySelector("a").focus({ preventScroll: true }); return; }
    }
    scrollTo(0, 0);
  };
  addEventListener("hashchange", route);

  /* ---- keys ---- */
  const help = $("help");
  $("help-open").addEventListener("click", () => help.showModal());
  const visible = () => caseRows.filter((r) => !r.classList.contains("gone") && !r.parentNode.classList.contains("folded"));
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
      if (e.key === "Enter" && e.target === input) { e.preventDefault(); apply(); visible()[0]?.querySelector("a").focus(); }
      return;
    }
    if (e.key === "/") { e.preventDefault(); location.hash = "matrix"; setTimeout(() => { input.focus(); input.select(); }); }
    else if (e.key === "?") help.showModal();
    else if (e.key === "j" || e.key === "k") {
      const by = e.key === "j" ? 1 : -1;
      if (current) {
        const list = order && order.includes(current.index) ? order : data().cases.map((_, i) => i);
        const to = list[list.indexOf(current.index) + by];
        if (to !== undefined) location.replace("#" + link(to, result(current.column, to) ? current.column : null));
      } else if (!$("matrix").hidden) {
        const rows = visible();
        const at = rows.findIndex((r) => r.contains(document.activeElement));
        const row = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))];
        if (row) { row.querySelector("a").focus({ preventScroll: true }); row.scrollIntoView({ block: "nearest" }); }
      }
    } else if (current && (e.key === "ArrowLeft" || e.key === "ArrowRight") && !e.target.closest(".lines, .scroll")) {
      const ran = data().columns.map((_, c) => c).filter((c) => result(c, current.index));
      const to = ran[ran.indexOf(current.column) + (e.key === "ArrowRight" ? 1 : -1)];
      if (to !== undefined) location.replace("#" + link(current.index, to));
    }
  });

  route();
  root.classList.add("ready");
  // The order of the matrix is needed by j and k at the latest; the page is shown first.
  setTimeout(apply, 50);
})();
