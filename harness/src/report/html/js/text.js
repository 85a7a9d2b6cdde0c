// The view of the text: every row of a version in the text's order, with a strip of results; rows
// without a case are seen as such.
const strip = (fates, columns) => {
  const cells = columns.map((c) => {
    const f = fates[c] || ".";
    const k = data().columns[c];
    if (f === ".") return el("li", { class: "none", title: "no result on " + k.name }, "·");
    const v = byLetter(f);
    return el("li", { class: v.letter, title: v.word + " on " + k.name }, v.glyph + v.letter);
  });
  return el("ul", { class: "strip-row", "aria-label": "results" }, cells);
};

const textPage = (version, aim) => {
  const d = data();
  // Without a word the newest text; a dialect only where nothing else was run.
  const plain = d.texts.filter((t) => /^\d/.test(t[0]));
  const which = d.texts.find((t) => t[0] === version) || plain[plain.length - 1] || d.texts[d.texts.length - 1];
  if (!which) return;
  const [abi, all, whole] = which;
  const lack = whole ? "! gap: no case" : "· no case here";
  const columns = d.columns.map((_, c) => c).filter((c) => d.columns[c].abi === abi);
  const cases = new Map(); // requirement id → cases
  d.cases.forEach((c, i) => c.reqs.forEach((r) => { const id = d.reqs[r][0]; if (!cases.has(id)) cases.set(id, []); cases.get(id).push(i); }));
  let gaps = 0, outOfReach = 0, tested = 0;
  const out = [];
  let chapter = null;
  for (const [section, signature, rows] of all) {
    const [first, last] = section.includes(": ") ? [section.slice(0, section.lastIndexOf(": ")), section.split(": ").pop()] : [section, ""];
    if (first !== chapter) { chapter = first; out.push(el("h2", {}, first)); }
    const items = rows.map((r) => {
      const { id, level, seat, text, ruling, excluded, fates } = req(r);
      const own = (cases.get(id) || []).filter((i) => columns.some((c) => d.results[c][i]));
      const gap = !own.length && !excluded;
      if (own.length) tested++; else if (excluded) outOfReach++; else gaps++;
      const name = id.includes("/") ? id.slice(id.indexOf("/") + 1) : id;
      return el("li", { class: gap ? (whole ? "gap" : "beyond") : excluded && !own.length ? "beyond" : null, id: "text/" + abi + "/" + id },
        el("div", { class: "what" },
          el("p", {}, el("a", { class: "id", href: "#req/" + id, title: id }, name), " ", el("small", { class: "l " + level }, level), " ", el("small", {}, seat)),
          el("p", {}, text),
          ruling ? el("p", { class: "ruling" }, el("b", {}, "Ruling. "), ruling) : null,
          excluded && !own.length ? el("p", { class: "ruling" }, el("b", {}, "Out of reach. "), excluded) : null,
          own.length ? el("details", {}, el("summary", {}, own.length === 1 ? "1 case" : own.length + " cases"), el("ul", { class: "ids" }, own.map((i) => el("li", {}, el("a", { href: link(i, null) }, d.cases[i].id))))) : null),
        own.length ? strip(fates, columns) : el("p", { class: "lack" }, excluded ? "– out of reach" : lack));
    });
    const heading = last || "In general";
    const takes = signature ? el("p", { class: "takes" }, el("small", {}, signature[0]), " ", el("code", {}, signature[1] || "()"), signature[2] ? [" → ", el("code", {}, signature[2])] : null) : null;
    out.push(el("section", { class: "function" },
      el("h3", {}, last && !/ /.test(last) ? el("code", {}, heading) : heading, " ", outward(abi, section, "the text")), takes,
      items.length ? el("ul", { class: "rows" }, items) : el("p", { class: "lack" }, "! gap: no row of the catalogue")));
  }
  const tabs = d.texts.map((t) => el("a", { href: "#text/" + t[0], "aria-current": t[0] === abi ? "true" : null }, t[0]));
  const names = columns.map((c) => d.columns[c].host + " " + d.columns[c].short);
  const twice = (c) => columns.filter((o) => d.columns[o].host === d.columns[c].host).length > 1;
  const named = (c) => d.columns[c].host + (twice(c) ? " " + d.columns[c].short : "");
  const heads = el("div", { class: "heads", "aria-hidden": "true" }, el("span", {}), el("ul", { class: "strip-row" }, columns.map((c) => el("li", {}, named(c)))));
  $("text-page").replaceChildren(
    el("p", { class: "tabs", role: "navigation", "aria-label": "Versions of the text" }, tabs),
    el("p", { class: "quiet" }, tested + " rows have a case here, " + outOfReach + " are out of reach, " + gaps + (gaps === 1 ? " has" : " have") + (whole ? " none: a gap." : " none: not chosen, or a gap.") + " The strip beside a row: " + names.join(", ") + "."),
    columns.length > 1 ? heads : "", ...out);
  const row = aim && document.getElementById("text/" + abi + "/" + aim);
  if (row) { row.classList.add("aim"); row.scrollIntoView({ block: "center" }); }
};
