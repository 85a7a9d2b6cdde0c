#!/usr/bin/env python3
"""Makes a record of many hosts from a real one, to see how large and how fast a report becomes.

many.py RECORD OUT [HOSTS] [CASES]

Each made-up host repeats what the last column of the record did, with values of its own and with
departures drawn from a fixed seed, so that the result is the same every time.
"""
import copy
import json
import random
import sys

source, target = sys.argv[1:3]
hosts, wanted = (int(n) for n in (sys.argv[3:5] or (20, 600)))
draw = random.Random(7)
lines = [json.loads(line) for line in open(source, encoding="utf-8")]
header, footer = lines[0]["header"], lines[-1]["footer"]
column = header["columns"][-1]
results = {l["result"]["case"]: l["result"] for l in lines if l.get("result", {}).get("column") == column["name"]}
cases = list({l["case"]["id"]: l["case"] for l in lines if l.get("case", {}).get("id") in results}.values())[:wanted]
for n in range(wanted - len(cases)):
    again = copy.deepcopy(cases[n])
    again["id"] += "_again"
    results[again["id"]] = {**results[cases[n]["id"]], "case": again["id"]}
    cases.append(again)


def digits(n):
    return "".join(draw.choice("0123456789abcdef") for _ in range(n))


def played(case, host, first):
    """What a host makes of a case."""
    result = copy.deepcopy(results[case["id"]])
    result.pop("drift", None)
    for attempt in result["attempts"]:
        attempt["micros"] = draw.randrange(200, 5200)
        # Every proxy adds fields of its own, some of them new each time.
        for client in attempt["seen"].get("client", []):
            if client.get("response"):
                client["response"].setdefault("headers", []).extend(
                    [[{"text": "server"}, {"text": host}], [{"text": "x-trace"}, {"text": digits(8)}]])
        for upstream in attempt["seen"].get("upstream", []):
            upstream["request"].setdefault("headers", []).append([{"text": "x-request-id"}, {"text": digits(16)}])
    luck = draw.random()
    checks = result["judgement"].get("checks")
    if first or luck >= 0.16:
        return result
    if luck < 0.12 and checks:
        result["judgement"]["verdict"] = "fail"
        checks[-1]["outcome"] = "fail"
        checks[-1]["got"] = draw.choice(["BAD_ARGUMENT", "OK", f'value "{digits(8)}"'])
        checks[-1]["line"] = case["line"] + 3
        why = f"{host} answers otherwise ({draw.randrange(40)})"
        result["gate"] = {"known": {"entry": 0, "why": why, "link": None}}
        result["attempts"][-1]["host_log"] = {"text": "".join(f"[info] {host} {digits(8)}\n" for _ in range(12))}
    elif luck >= 0.12:
        result["judgement"] = {"verdict": "out-of-scope", "level": result["judgement"]["level"],
                               "reason": "not offered: tcp: this way to the host carries HTTP only"}
        result["attempts"] = []
    return result


names = [(f"host{h}", f"1.{h}.0") for h in range(1, hosts + 1)]
columns = [{**column, "name": f"{host}-{version}-{column['abi']}", "host": host, "host_version": version}
           for host, version in names]
sums = [{**footer["columns"][-1], "column": c["name"], "host": c["host"], "host_version": c["host_version"]} for c in columns]
canaries = [{"column": c["name"], "canary": k, "ok": True, "what": ""} for c in columns for k in ("passes", "fails")]
with open(target, "w", encoding="utf-8") as out:
    def write(line):
        out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")

    write({"header": {**header, "columns": columns}})
    for case in cases:
        write({"case": case})
    for n, c in enumerate(columns):
        for case in cases:
            write({"result": {**played(case, c["host"], n == 0), "column": c["name"]}})
    write({"footer": {**footer, "columns": sums, "canaries": canaries}})
