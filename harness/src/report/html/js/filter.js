// The filter: the language of `pwspec list`, and terms that only results can answer. A term is asked of
// a case in a column; a column is hidden where the filter can be true of no case in it.
const tokens = (text) => text.match(/[&|!()]|"[^"]*"|[^\s&|!()"]+(?:"[^"]*")?/g) || [];

// `*`, `?`, `[…]` and `{a,b}` as in the command line; `*` also crosses slashes.
const globbed = (text) => /[*?[{]/.test(text);
const glob = (text) => {
  let out = "", depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "*") out += ".*";
    else if (c === "?") out += ".";
    else if (c === "{") { out += "(?:"; depth++; }
    else if (c === "}" && depth) { out += ")"; depth--; }
    else if (c === "," && depth) out += "|";
    else if (c === "[" && text.indexOf("]", i) > 0) {
      const end = text.indexOf("]", i);
      out += "[" + text.slice(i + 1, end).replace(/^!/, "^").replace(/\\/g, "\\\\") + "]";
      i = end;
    } else out += c.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  }
  try { return new RegExp("^" + out + ")".repeat(depth) + "$"); } catch { throw new Error("bad glob " + text); }
};

const KEYS = ["id", "area", "abi", "level", "covers", "tag", "host", "verdict", "gate", "is", "last"];

// → { of: "case" | "column" | "result", test }
const term = (raw) => {
  const word = raw.replace(/"/g, "");
  const cut = word.indexOf(":");
  const key = cut > 0 && !/\s/.test(word.slice(0, cut)) ? word.slice(0, cut).toLowerCase() : "";
  const want = key ? word.slice(cut + 1) : word;
  const d = data();
  const whole = (() => { const re = globbed(want) ? glob(want) : null; return (text) => (re ? re.test(text) : text === want); })();
  const byId = (c) => c.id === want.replace(/\/$/, "") || c.id.startsWith(want.replace(/\/*$/, "/")) || whole(c.id);
  const ofCase = (test) => ({ of: "case", test: (i) => test(d.cases[i]) });
  const ofColumn = (test) => ({ of: "column", test: (_, c) => test(d.columns[c]) });
  const ofResult = (test) => ({ of: "result", test: (i, c) => { const r = result(c, i); return !!r && test(r, verdict(r.verdict)); } });
  const failing = (v) => "FURTCD".includes(v.letter);
  switch (key) {
    case "id": return ofCase(byId);
    case "area": return ofCase((c) => whole(c.area));
    case "level": return ofCase((c) => c.level === want);
    case "tag": return ofCase((c) => c.tags.some(whole));
    case "covers": return ofCase((c) => c.reqs.some((r) => whole(d.reqs[r][0]) || (!globbed(want) && d.reqs[r][0].startsWith(want + "/"))));
    case "abi": return ofColumn((k) => whole(k.abi));
    case "host": return ofColumn((k) => whole(k.host) || whole(k.host + "@" + k.version) || (globbed(want) ? whole(k.name) : k.name.startsWith(want)));
    case "last":
    case "verdict":
      if (want === "failed" || want === "failing") return ofResult((_, v) => failing(v));
      return ofResult((_, v) => v.word === want);
    case "gate": return ofResult((r) => (r.gate || "expected").includes(want));
    case "is": return ofResult((r) => (want === "drift" && !!r.drift) || (want === "company" && !!r.company));
    case "": {
      const low = want.toLowerCase();
      return ofCase((c) => byId(c) || (c.id + " " + c.about + " " + c.reqs.map((r) => d.reqs[r][0] + " " + d.reqs[r][4]).join(" ")).toLowerCase().includes(low));
    }
    default: throw new Error("unknown filter key " + key + ": one of " + KEYS.join(", "));
  }
};

// → { test(case), columns shown }. `!` binds before `&`, `&` before `|`; a space is `&`.
// `col` is what a column alone says: 1 true of every case in it, 0 of none, null: it depends.
const compile = (text) => {
  const list = tokens(text);
  let at = 0;
  const or = () => {
    const parts = [and()];
    while (list[at] === "|") { at++; parts.push(and()); }
    if (parts.length === 1) return parts[0];
    const col = (c) => { const all = parts.map((p) => p.col(c)); return all.includes(1) ? 1 : all.every((v) => v === 0) ? 0 : null; };
    return { test: (i, c) => parts.some((p) => p.test(i, c)), col };
  };
  const and = () => {
    const parts = [];
    while (at < list.length && list[at] !== "|" && list[at] !== ")") { if (list[at] === "&") at++; else parts.push(not()); }
    const col = (c) => { const all = parts.map((p) => p.col(c)); return all.includes(0) ? 0 : all.every((v) => v === 1) ? 1 : null; };
    return { test: (i, c) => parts.every((p) => p.test(i, c)), col };
  };
  const not = () => {
    const t = list[at++];
    if (t === undefined) throw new Error("a term is missing");
    if (t === "!") {
      const p = not();
      return { test: (i, c) => !p.test(i, c), col: (c) => { const v = p.col(c); return v === null ? null : 1 - v; } };
    }
    if (t === "(") {
      const p = or();
      if (list[at] !== ")") throw new Error("a ) is missing");
      at++;
      return p;
    }
    const { of, test } = term(t);
    return { test, col: (c) => (of === "column" ? Number(test(0, c)) : null) };
  };
  const p = or();
  if (at < list.length) throw new Error("a ) is too many");
  const columns = data().columns.map((_, c) => c).filter((c) => p.col(c) !== 0);
  return { test: (i) => columns.some((c) => data().results[c][i] && p.test(i, c)), columns };
};
