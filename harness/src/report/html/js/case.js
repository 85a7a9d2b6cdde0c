// The page of a case on one host: what is asked, what came, the trace beside the reference host's.
const prefer = (index) => {
  const d = data();
  const ran = d.columns.map((_, c) => c).filter((c) => result(c, index));
  const first = (letters) => ran.find((c) => letters.includes(verdict(result(c, index).verdict).letter));
  return first("FURTCD") ?? first("NB") ?? ran.find((c) => !d.columns[c].reference) ?? ran[0] ?? 0;
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

// What the page says of a result: names of requirements lead to their rows, so that what blocked a case
// is one click away.
const linked = (text) => text.split(/([A-Za-z_][\w.]*\/[\w.]+)/).map((piece, n) => (n % 2 && document.getElementById("req/" + piece) ? el("a", { class: "id", href: "#req/" + piece }, piece) : piece));

// The results of calls stand below each other, but not further away than a narrow pane can show.
const aligned = (texts) => {
  const cut = (t) => /^( +[^=]*?\S) {2,}(= .*)$/.exec(t);
  const far = Math.min(46, Math.max(0, ...texts.map((t) => (cut(t) ? cut(t)[1].length : 0))));
  return texts.map((t) => { const c = cut(t); return c ? c[1].padEnd(far) + " " + c[2] : t; });
};

const asked = (c, abi) => el("div", { class: "asked" }, c.reqs.map((i) => {
  const r = req(i);
  return el("div", {},
    el("p", {}, el("a", { class: "id", href: "#req/" + r.id }, r.id), " ", el("small", { class: "l " + r.level }, r.level), " ", el("small", {}, r.seat), " · ", outward(abi, r.section, r.section)),
    el("p", {}, r.text),
    r.ruling ? el("p", { class: "ruling" }, el("b", {}, "Ruling. "), r.ruling) : null);
}));

const checkTable = (c, r) => {
  const rows = data().lists[r.checks].map(([name, req, level, control, outcome, expected, got, line, column]) => {
    const [word, cls] = OUTCOMES[outcome];
    const id = typeof req === "number" ? data().reqs[req][0] : req;
    const place = line ? "line " + line + (column ? ":" + column : "") : "";
    return el("tr", {},
      el("td", { class: "outcome" }, el("span", { class: "v " + cls }, word)),
      el("th", { scope: "row", title: place }, name, control ? el("small", {}, " control") : null),
      el("td", { class: "said", "data-head": "expected" }, el("code", {}, data().lines[expected])), el("td", { class: outcome ? "said got" : "said", "data-head": data().lines[got] ? "got" : null }, el("code", {}, data().lines[got])),
      el("td", {}, level), el("td", { class: "said" }, el("a", { class: "id", href: "#req/" + id }, id)));
  });
  if (!rows.length) return null;
  const heads = ["Outcome", "Check", "Expected", "Got", "Level", "Requirement"].map((h) => el("th", { scope: "col" }, h));
  return [el("h2", {}, "Checks"), el("div", { class: "scroll" }, el("table", { class: "list checks" }, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows)))];
};

// The cases among which one steps: those of the filter, else all.
const around = (index) => (order && order.includes(index) ? order : inOrder());

const page = (index, column) => {
  const d = data(), c = d.cases[index];
  const r = result(column, index);
  const host = d.columns[column];
  // A group a host, in it a button a text.
  const groups = [];
  d.columns.forEach((k, n) => {
    const there = result(n, index);
    if (!there) return;
    const v = verdict(there.verdict);
    const twin = / \(\d+\)$/.exec(k.name);
    const button = el("button", { type: "button", "aria-pressed": String(n === column), title: k.name + ": " + v.word },
      el("b", { class: v.letter }, v.glyph + v.letter), k.abi + (twin ? twin[0] : ""), el("span", { class: "hidden" }, " of " + k.host + ": " + v.word));
    button.addEventListener("click", () => { location.replace(link(index, n)); });
    const last = groups[groups.length - 1];
    if (last && last.host === k.host && last.version === k.version) last.buttons.push(button);
    else groups.push({ host: k.host, version: k.version, short: k.short, buttons: [button] });
  });
  const strip = groups.map((g) => el("div", {}, el("p", { title: g.version }, el("b", {}, g.host), " ", g.short), el("div", {}, g.buttons)));
  const list = around(index);
  const at = list.indexOf(index);
  const step = (to, text) => (to === undefined ? null : el("a", { href: link(to, null) }, text));
  const out = [
    el("p", { class: "crumbs" }, el("a", { href: "#matrix" }, "Matrix"), el("span", {}, (at + 1) + " of " + list.length),
      el("span", { class: "step" }, step(list[at - 1], "← previous"), step(list[at + 1], "next →"))),
    el("h1", { id: "h-page" }, c.id), el("p", { class: "about" }, c.about),
    el("p", { class: "meta" }, el("span", {}, c.level || ""), el("span", { class: "mono" }, c.file + ":" + c.line), c.tags.length ? el("span", {}, "tags: " + c.tags.join(", ")) : null),
    el("div", { class: "strip", role: "group", "aria-label": "Hosts" }, strip),
  ];
  if (r) {
    const words = lines(r.words), observed = d.lists[r.observed];
    const letter = verdict(r.verdict).letter;
    const calm = "PSO".includes(letter);
    // What is part of a longer sentence here is not said twice.
    const told = words.filter((w) => !words.some((other) => other !== w && other.includes(w)));
    // The failed checks themselves, the first in full.
    const failed = calm ? [] : d.lists[r.checks].filter(([, , , , outcome]) => outcome === 1);
    const first = failed.slice(0, 3).map(([name, , , , , expected, got]) => el("li", {}, name + ": expected ", el("code", {}, d.lines[expected]), ", got ", el("code", {}, d.lines[got])));
    if (failed.length > 3) first.push(el("li", {}, (failed.length - 3) + " more below"));
    const notes = first.concat(observed.map(([what, answer]) => el("li", {}, what + ": ", el("code", {}, answer))), told.map((w) => el("li", {}, linked(w))));
    out.push(el("h2", {}, "On " + host.host + " " + host.version + (host.dialect ? ", dialect " : ", ABI ") + host.abi), el("p", { class: "outcome-line" }, badge(r.verdict), r.gate ? el("small", { class: /unexpected/.test(r.gate) ? "bad" : null }, r.gate) : null, r.time ? el("small", {}, duration(r.time)) : null));
    if (notes.length) out.push(el("ul", { class: "because" + (calm ? " calm" : "") }, notes));
    const command = host.again.replace("CASE", c.id);
    const without = "pwspec repro " + c.id + " --host " + host.target + " --abi " + host.abi + " -o repro";
    const next = [["again, alone", command]];
    if ("FURTCDW".includes(letter) && !host.reference) next.push(["without pwspec", without]);
    if (letter === "N") next.push(["is the host well?", "pwspec doctor " + host.target]);
    if (letter !== "O") out.push(el("div", { class: "commands" }, next.map(([what, line]) => el("div", { class: "command" }, el("span", {}, what), el("pre", {}, line), copy(line)))));
    if (letter === "S" && document.getElementById("groups/" + c.id)) out.push(el("p", { class: "more" }, el("a", { href: "#groups/" + c.id }, "Which hosts do the same")));
  }
  out.push(el("h2", {}, "What is asked"), asked(c, host.abi));
  if (r) {
    out.push(...(checkTable(c, r) || []));
    const ref = host.beside === null ? null : result(host.beside, index);
    const own = traceLines(r.trace), theirs = ref ? traceLines(ref.trace) : [];
    const say = (list) => aligned(list.map((i) => d.lines[i]));
    if (own.length || theirs.length) {
      const panes = [el("div", {}, el("h3", {}, host.reference ? host.name + ": reference host (not a norm)" : host.name),
        own.length ? listing(say(own), { marks: traceMarks(r), odd: ref ? differs(own, theirs) : new Set(), label: "Trace of " + host.name }) : el("p", { class: "quiet" }, "Nothing was seen at the boundary."))];
      if (ref) panes.push(el("div", {}, el("h3", {}, "reference host (not a norm)", el("small", {}, " " + d.columns[host.beside].abi)), listing(say(theirs), { odd: differs(theirs, own), label: "Trace of the reference host" })));
      out.push(el("h2", {}, "Trace"), el("div", { class: "traces" + (ref ? " two" : "") }, panes));
    }
  }
  const marks = new Map();
  if (r) for (const [name, , , , outcome, , got, line] of d.lists[r.checks]) if (outcome === 1) {
    const old = marks.get(line);
    marks.set(line, { cls: "bad", tell: (old ? old.tell + "\n" : "") + name + ": got " + d.lines[got] });
  }
  const lead = " ".repeat(c.indent || 0);
  out.push(el("h2", {}, "The case"), listing(lines(c.yaml).map((l) => lead + l), { first: c.line, marks, label: "YAML of the case" }));
  if (r && r.drift) out.push(el("details", { open: true }, el("summary", {}, "Against the snapshot"), listing(lines(r.drift), { label: "Difference to the snapshot" })));
  if (r && r.log) out.push(el("details", {}, el("summary", {}, "Host log"), listing(lines(r.log), { label: "Host log" })));
  if (r && r.wire) out.push(el("details", {}, el("summary", {}, "Wire"), listing(lines(r.wire), { label: "Wire" })));
  $("page").replaceChildren(...out.flat().filter(Boolean));
};
