#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hold together what says the same thing four times: the UAPI header, the
netlink specification, the module's policies and the table of reasons.
Reads sources only.  TAP; exit 4 without python3-yaml."""

import glob
import os
import re
import sys

try:
    import yaml
except ImportError:
    print("TAP version 13\n1..0 # SKIP python3-yaml is not installed")
    sys.exit(4)

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
failures = []
GET_ONLY = {"reject": True}


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def c_name(prefix, name):
    return (prefix + name).upper().replace("-", "_")


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def c_enums(text):
    """{enum name: {constant: value}}, private constants (max) left out."""
    enums = {}
    for name, body in re.findall(r"enum (\w+) \{(.*?)\};", strip_comments(text), re.S):
        value, enums[name] = 0, {}
        for entry in filter(None, (e.strip() for e in body.split(","))):
            m = re.fullmatch(r"(\w+)(?:\s*=\s*(\w+))?", entry)
            if not m:
                if "_MAX" in entry:
                    continue
                raise ValueError("cannot read enum %s: %s" % (name, entry))
            if m.group(2):
                value = int(m.group(2), 0)
            if not m.group(1).startswith("__"):
                enums[name][m.group(1)] = value
            value += 1
    return enums


def c_defines(text):
    return dict(re.findall(r"#define[ \t]+(\w+)[ \t]+(\S+)", strip_comments(text)))


def c_comment_types(text):
    """{attribute: words of the type in the comment behind it}."""
    return {name: comment.strip() for name, comment in
            re.findall(r"^\t(NTPK_A_\w+),\s*/\*(.*?)\*/", text, re.M)}


class Sources:
    def __init__(self):
        self.header = read("include/uapi/linux/ntpk.h")
        self.netlink = "".join(read(os.path.relpath(path, TOP)) for path in
                               sorted(glob.glob(os.path.join(TOP, "kmod/netlink*.c"))))
        self.reasons = read("kmod/proto/ntp_reason.c")
        self.t2s = read("kmod/proto/ntp_phc.c")
        self.quirks = read("kmod/proto/ntp_client_quirk.c")
        self.spec = yaml.safe_load(read("Documentation/netlink/specs/ntpk.yaml"))
        self.enums = c_enums(self.header)
        self.defines = c_defines(self.header)
        self.constants = {}
        for header in "ntp_wire.h", "ntp_client.h":
            for values in c_enums(read("include/ntpk/" + header)).values():
                self.constants.update(values)
        for values in self.enums.values():
            self.constants.update(values)
        self.sets = {s["name"]: s for s in self.spec["attribute-sets"]}
        self.defs = {d["name"]: d for d in self.spec["definitions"]}

    def number(self, text):
        text = self.defines.get(text, text).strip("()")
        sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
        if text in self.constants:
            return sign * self.constants[text]
        return sign * int(re.sub(r"[UL]+$", "", self.defines.get(text, text)), 0)

    def limit(self, value):
        """A limit of the specification, which may be the name of a constant."""
        return self.defs[value]["value"] if value in self.defs else value


def check(ok, what):
    if not ok:
        failures.append(what)


def same(a, b, what):
    check(a == b, "%s: %r is not %r" % (what, a, b))


def test_family(src):
    """name, version, group and constants"""
    same(src.defines["NTPK_FAMILY_NAME"], '"%s"' % src.spec["name"], "family name")
    same(src.defines["NTPK_FAMILY_VERSION"], str(src.spec.get("version", 1)), "version")
    groups = [g["name"] for g in src.spec["mcast-groups"]["list"]]
    same([src.defines["NTPK_MCGRP_EVENTS"]], ['"%s"' % g for g in groups], "groups")
    for name, d in src.defs.items():
        if d["type"] == "const":
            same(src.number(c_name("ntpk-", name)), d["value"], name)


def test_enums(src):
    """enums: the same names with the same values"""
    seen = set()
    for name, d in src.defs.items():
        if d["type"] not in ("enum", "flags"):
            continue
        cname = d["enum-name"].replace("-", "_")
        seen.add(cname)
        names = [e["name"] if isinstance(e, dict) else e for e in d["entries"]]
        want = {c_name(d["name-prefix"], e): 1 << i if d["type"] == "flags" else
                i + d.get("value-start", 0) for i, e in enumerate(names)}
        same(src.enums.get(cname), want, "enum " + name)
    rest = {e for e in src.enums if not e.startswith("ntpk_attr") and e != "ntpk_cmd"}
    same(seen, rest, "enums of the header")


def test_commands(src):
    """commands: the same names with the same values, each with its handler"""
    ops = src.spec["operations"]
    want = {"NTPK_CMD_UNSPEC": 0}
    for i, op in enumerate(ops["list"], 1):
        want[c_name(ops["name-prefix"], op["name"])] = i
    same(src.enums["ntpk_cmd"], want, "commands")
    handled = dict(re.findall(r"\.cmd = (NTPK_CMD_\w+), \.doit = (\w+)", src.netlink))
    same(handled, {c_name(ops["name-prefix"], o["name"]):
                   "ntpk_nl_%s_doit" % o["name"].replace("-", "_")
                   for o in ops["list"] if "do" in o}, "handlers")
    dumped = dict(re.findall(r"\.cmd = (NTPK_CMD_\w+),[^}]*?\.dumpit = (\w+)", src.netlink))
    same(dumped, {c_name(ops["name-prefix"], o["name"]):
                  "ntpk_nl_%s_dumpit" % o["name"].replace("-", "_")
                  for o in ops["list"] if "dump" in o}, "handlers of dumps")


def test_attributes(src):
    """attributes: the same names with the same values"""
    seen = set()
    for s in src.spec["attribute-sets"]:
        cname = s["enum-name"].replace("-", "_")
        seen.add(cname)
        want = {c_name(s["name-prefix"], "unspec"): 0}
        for i, a in enumerate(s["attributes"], 1):
            want[c_name(s["name-prefix"], a["name"])] = i
        same(src.enums.get(cname), want, "set " + s["name"])
    same(seen, {e for e in src.enums if e.startswith("ntpk_attr")}, "sets of the header")


def test_types(src):
    """attribute types: as the header's comments say"""
    comments = c_comment_types(src.header)
    for s in src.spec["attribute-sets"]:
        for a in s["attributes"]:
            name = c_name(s["name-prefix"], a["name"])
            if a["type"] == "pad":
                continue
            text = comments.get(name, "")
            same(re.split(r"[\s,:;(]", text)[0], a["type"], name)
            same("multi-attr" in text, a.get("multi-attr", False), name + " multi-attr")
            if "enum" in a and not a.get("enum-as-flags"):
                check("enum ntpk_" + a["enum"].replace("-", "_") in text, name + ": enum " + a["enum"])
            if a["type"] == "nest":
                enum = src.sets[a["nested-attributes"]]["enum-name"].replace("-", "_")
                check("enum " + enum in text, "%s: nests %s" % (name, enum))


def parse_range(src, name):
    body = re.search(r"range_validation(?:_signed)? %s = \{(.*?)\};" % name, src.netlink, re.S)
    fields = dict(re.findall(r"\.(\w+) = (\S+),", body.group(1)))
    return {k: src.number(fields[k]) for k in ("min", "max")}


def policy_set(table):
    """ntpk_nl_state_policy, or state_policy where it is static: the set "state"."""
    return table.removeprefix("ntpk_nl_").removesuffix("_policy").replace("_", "-")


def parse_policy_entry(src, text):
    """One initialiser of a struct nla_policy in the words of the specification."""
    if text == "NTPK_NL_GET_ONLY":
        return GET_ONLY
    m = re.fullmatch(r"\{ \.type = NLA_(\w+)(?:, \.len = (\w+))? \}", text)
    if m:
        entry = {"type": m.group(1).lower().removeprefix("nul_")}
        if m.group(2):
            entry["max-len"] = src.number(m.group(2))
        return entry
    m = re.fullmatch(r"NLA_POLICY_(\w+)\((.*)\)", text, re.S)
    kind, args = m.group(1), [a.strip() for a in m.group(2).split(",")]
    if kind == "NESTED":
        return {"type": "nest", "policy": policy_set(args[0])}
    if kind == "EXACT_LEN":
        return {"type": "binary", "exact-len": src.number(args[0])}
    entry = {"type": args[0][len("NLA_"):].lower()}
    if kind in ("FULL_RANGE", "FULL_RANGE_SIGNED"):
        entry.update(parse_range(src, args[1].lstrip("&")))
    elif kind == "RANGE":
        entry.update({"min": src.number(args[1]), "max": src.number(args[2])})
    elif kind in ("MIN", "MAX"):
        entry[kind.lower()] = src.number(args[1])
    elif kind == "MASK":
        entry["flags-mask"] = src.number(args[1])
    else:
        raise ValueError("unknown policy " + text)
    return entry


def parse_policies(src):
    tables = {}
    for name, body in re.findall(
            r"const struct nla_policy (\w+)\[.*?\] = \{\n(.*?)\n\};", src.netlink, re.S):
        tables[policy_set(name)] = {k: parse_policy_entry(src, v) for k, v in
                        re.findall(r"\[(\w+)\] = (.*?),(?=\n\t\[|$)", body, re.S)}
    return tables


def read_only(attr):
    return attr.get("doc", "").startswith("read only")


def wanted_entry(src, attr, writable):
    if not writable:
        return GET_ONLY
    checks = {k: src.limit(v) for k, v in attr.get("checks", {}).items()}
    entry = {"type": attr["type"], **checks}
    if attr["type"] == "nest":
        entry["policy"] = attr["nested-attributes"]
    return entry


def sent_sets(src, names, attributes):
    """The sets of attributes that a request can hold, with what may be sent of each."""
    out = {}
    for a in attributes:
        if a["type"] == "nest" and a["name"] in names:
            inner = src.sets[a["nested-attributes"]]["attributes"]
            sent = {b["name"] for b in inner if not read_only(b)}
            out[a["nested-attributes"]] = sent
            out.update(sent_sets(src, sent, inner))
    return out


def wanted_table(src, set_name, writable):
    s = src.sets[set_name]
    return {c_name(s["name-prefix"], a["name"]): wanted_entry(src, a, a["name"] in writable)
            for a in s["attributes"] if a["type"] != "pad"}


def test_policies(src):
    """policies of the module: types, ranges and what is read-only"""
    tables = parse_policies(src)
    requests = set()
    for op in src.spec["operations"]["list"]:
        for verb in ("do", "dump"):
            requests.update(op.get(verb, {}).get("request", {}).get("attributes", []))
    sent = sent_sets(src, requests, src.sets["ntpk"]["attributes"])
    wanted = {name: wanted_table(src, name, writable) for name, writable in sent.items()}
    wanted["family"] = wanted_table(src, "ntpk", requests)
    same(set(tables), set(wanted), "tables")
    for table, want in wanted.items():
        got = tables.get(table, {})
        for name in sorted(set(got) | set(want)):
            same(got.get(name), want.get(name), "%s[%s]" % (table, name))
    required = re.search(r"state_required\[\] = \{(.*?)\n\};", src.netlink, re.S).group(1)
    optional = {a["name"] for a in src.sets["state"]["attributes"]
                if a.get("doc", "").startswith("optional")}
    same(re.findall(r"\{ NTPK_A_STATE_(\w+), \"\1 is missing", required),
         [c_name("", a["name"]) for a in src.sets["state"]["attributes"]
          if a["name"] in sent["state"] - optional and a["type"] != "pad"],
         "required attributes of state")


def test_reasons(src):
    """table of reasons: every name, class and sentence"""
    table = {}
    for name, text, word, cls in re.findall(
            r'\[(NTPK_REASON_\w+)\] = \{\s*"(\w+)",\s*"([^"]*)",\s*(NTPK_CLASS_\w+) \}',
            src.reasons):
        table[name] = (text, word, cls)
    words = {"ANSWER": "answered", "PASS": "passed", "DROP": "dropped"}
    for entry in src.defs["reason"]["entries"]:
        name = c_name("ntpk-reason-", entry["name"])
        if name not in table:
            check(False, "no row for " + name)
            continue
        text, sentence, cls = table[name]
        same(text, entry["name"].replace("-", "_"), name + " name")
        if entry["name"] == "none":
            continue
        doc, verb = entry["doc"], words[cls[len("NTPK_CLASS_"):]]
        if verb != "answered":
            check(doc.startswith(verb + ", "), "%s: class %s, but %r" % (name, cls, doc))
            doc = doc[len(verb) + 2:]
        else:
            check(doc.startswith(verb), "%s: class %s, but %r" % (name, cls, doc))
        same(sentence, doc, name + " sentence")
    same(len(table), len(src.defs["reason"]["entries"]), "number of reasons")


def test_t2s(src):
    """table of what T2 is of: every name and sentence"""
    rows = re.findall(r'\[(NTPK_T2_\w+)\] = \{\s*"(\w+)", "([^"]*)" \}', src.t2s)
    same(rows, [(c_name("ntpk-t2-", e["name"]), e["name"].replace("-", "_"), e["doc"])
                for e in src.defs["t2"]["entries"]], "rows")


def test_t3s(src):
    """table of what departures are of: every name and sentence"""
    rows = re.findall(r'\[(NTPK_T3_\w+)\] = \{\s*"(\w+)", "([^"]*)" \}', src.t2s)
    same(rows, [(c_name("ntpk-t3-", e["name"]), e["name"].replace("-", "_"), e["doc"])
                for e in src.defs["t3"]["entries"]], "rows")


def test_abi(src):
    """files of /sys: each documented, none invented"""
    abi = read("Documentation/ABI/sysfs-kernel-ntpk")
    what = set(re.findall(r"^What:\s+/sys/kernel/ntpk/(\S+)$", abi, re.M))
    sysfs = read("kmod/sysfs.c")
    files = {"state/" + n for n in re.findall(r"^STATE_FILE\((\w+),", sysfs, re.M)}
    files |= {"stats/" + e["name"].replace("-", "_")
              for e in src.defs["reason"]["entries"][1:]}
    hists = re.findall(r"^HIST_FILE\((\w+)\)", sysfs, re.M)
    files |= {"hist/%s_log2ns" % n for n in hists}
    rows = re.findall(r'\{ "(\w+)", "[^"]*",\s*(NTP_CLIENT_QUIRK_\w+),', src.quirks)
    same(sorted(n for _, n in rows), sorted(n for n in src.constants if n.startswith("NTP_CLIENT_QUIRK_")),
         "rows of the table of classes")
    files |= {"quirks/" + name for name, _ in rows}
    for kind in ("t2", "t3"):
        files |= {kind + "/" + e["name"].replace("-", "_") for e in src.defs[kind]["entries"]}
    same(sorted(what), sorted(files | {"version"}), "documented files")
    listed = set(re.findall(r"&(\w+)_attr\.attr", sysfs))
    same(listed, {f[len("state/"):] for f in files if f.startswith("state/")} | {"version"} | set(hists),
         "files in a group")


def main():
    tests = [test_family, test_enums, test_commands, test_attributes, test_types, test_t2s, test_t3s,
             test_policies, test_reasons, test_abi]
    bad = 0
    print("TAP version 13\n1..%d" % len(tests))
    src = Sources()
    for n, test in enumerate(tests, 1):
        failures.clear()
        test(src)
        print("%sok %d - %s" % ("not " if failures else "", n, test.__doc__))
        for line in failures:
            print("# " + line)
        bad += bool(failures)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
