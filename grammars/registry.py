#!/usr/bin/env python3
"""Turns languages.json and the query files into what the build needs.

registry.py --list MANIFEST       one line a language: name, package, source folder, symbol
registry.py --queries MANIFEST    the query files, one a line, relative to the manifest
registry.py MANIFEST OUTPUT       writes registry.c, which implements registry.h
"""
import hashlib
import json
import pathlib
import re
import sys

QUERIES = ("entities", "calls", "imports")
TEXT = {"name", "key_prefix", "package", "source", "symbol", "language_id"}
LISTS = {"queries", "filenames", "shebangs"}
OPTIONAL = {"line_starts", "outline", "masks", "reserved", "empty_before"}
OUTLINES = {"c", "cpp", "go", "java", "csharp", "rust"}  # the rows of src/bodies/syntax.c
READING = 1  # one more when C makes other entities of a file than before
WORD = re.compile(r"[a-z][a-z0-9_]*")
MASK = re.compile(r"[\^#]|\*?[A-Za-z0-9_]{4,}")
MASKED_AS = re.compile(r"|\(\)|[^()]+|[^()]+.*\([1-9*]\)")


def load(path):
    """The manifest, checked: a mistake in it stops the build with its place named."""
    languages = json.loads(path.read_text(encoding="utf-8"))
    seen = {}
    for lang in languages:
        where = f"{path.name}: {lang.get('name', '?')}"
        odd = (set(lang) - OPTIONAL) ^ (TEXT | LISTS | {"extensions"})
        if odd:
            sys.exit(f"{where}: missing or unknown members: {', '.join(sorted(odd))}")
        for member in ("name", "key_prefix", "symbol"):
            if not WORD.fullmatch(lang[member]):
                sys.exit(f"{where}: {member} is not a lower-case word")
        claims = [("name", lang["name"]), ("key_prefix", lang["key_prefix"])]
        if lang.setdefault("outline", None) not in OUTLINES | {None}:
            sys.exit(f"{where}: outline is none of {', '.join(sorted(OUTLINES))}")
        starts = lang.setdefault("line_starts", {})
        if set(starts) - set(lang["extensions"]):
            sys.exit(f"{where}: line_starts of an extension that is not claimed")
        for mask, shown in lang.setdefault("masks", {}).items():
            if not MASK.fullmatch(mask) or not MASKED_AS.fullmatch(shown):
                sys.exit(f"{where}: mask {mask} is not known")
        if not all(WORD.fullmatch(keyword) for keyword in lang.setdefault("reserved", {})):
            sys.exit(f"{where}: reserved are words in lower case")
        if len(lang.setdefault("empty_before", {})) > 1 or any(len(byte) != 1 for byte in lang["empty_before"].values()):
            sys.exit(f"{where}: empty_before is one token and one byte")
        # one language only may have an extension without looking into the file
        claims += [("extension", e) for e in lang["extensions"] if e not in starts]
        claims += [("filename", f) for f in lang["filenames"]]
        claims += [("shebang", s) for s in lang["shebangs"]]
        for claim in claims:
            if claim in seen:
                sys.exit(f"{where}: {claim[0]} {claim[1]} is {seen[claim]}'s already")
            seen[claim] = lang["name"]
        for suffix in lang["extensions"]:
            if suffix != suffix.lower() or "." in suffix:
                sys.exit(f"{where}: extension {suffix} is not lower case without dots")
    return languages


def query_files(root, lang, query):
    """Files of one query, in the order of the language's folders; a folder may lack one."""
    files = [root / folder / f"{query}.scm" for folder in lang["queries"]]
    return [f for f in files if f.exists()]


def literal(text):
    """A C string literal, a source line to a line, safe from trigraphs and long escapes."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "?": "\\?"}
    lines = text.splitlines(keepends=True) or [""]
    out = []
    for line in lines:
        body = "".join(
            escapes.get(c) or (c if " " <= c <= "~" else "".join(f"\\{b:03o}" for b in c.encode()))
            for c in line
        )
        out.append(f'    "{body}"')
    return "\n".join(out)


def word(text):
    """A C string literal of a single line."""
    return literal(text).strip()


def squeeze(text):
    """Query text without comment lines and indentation: it is compiled at every start."""
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith(";"))


def adaptation(lang):
    """What adapt.c makes of the grammar, and the function that gives it."""
    name, (token, before) = lang["name"], next(iter(lang["empty_before"].items()), ("", ""))
    out = [f"static const struct grammar_reserved {name}_reserved[] = {{"]
    out += [f"    {{{word(keyword)}, {word(behind)}}}," for keyword, behind in lang["reserved"].items()]
    out += ["    {NULL, NULL},", "};",
            f"static bool {name}_scan(void *state, TSLexer *lexer, const bool *valid);",
            f"static struct grammar_adaptation {name}_adaptation = {{",
            f"    .reserved = {name}_reserved,",
            f"    .empty_token = {word(token) if token else 'NULL'},",
            f"    .before = {ord(before) if before else 0},",
            f"    .scan_first = {name}_scan,", "};",
            "static bool", f"{name}_scan(void *state, TSLexer *lexer, const bool *valid)", "{",
            f"    return grammar_scan(&{name}_adaptation, state, lexer, valid);", "}",
            "static const TSLanguage *", f"{name}_adapted(void)", "{",
            "    static const TSLanguage *made;", "    if (!made)",
            f"        made = grammar_adapt({lang['symbol']}(), &{name}_adaptation);",
            "    return made;", "}"]
    return out


def maker(root, lines):
    """A word for what is written here and the parsers, by the hashes of their packages."""
    packages = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    parsers = sorted(f"{name} {package.get('integrity')}" for name, package in packages.items())
    return hashlib.sha256("\n".join(lines + parsers).encode()).hexdigest()[:16]


def write_registry(root, languages, output):
    out = ["/* Written by grammars/registry.py. */", '#include "registry.h"', ""]
    for lang in languages:
        out.append(f"const TSLanguage *{lang['symbol']}(void);")
    for lang in languages:
        name = lang["name"]
        out.append("")
        starts = lang["line_starts"]
        for suffix, words in starts.items():
            out.append(f"static const char *const {name}_{suffix}_starts[] = {{")
            out += [f"    {word(text)}," for text in words]
            out += ["    NULL,", "};"]
        out.append(f"static const struct grammar_extension {name}_extensions[] = {{")
        for suffix, language_id in lang["extensions"].items():
            known_by = f"{name}_{suffix}_starts" if suffix in starts else "NULL"
            out.append(f"    {{{word(suffix)}, {word(language_id)}, {known_by}}},")
        out += ["    {NULL, NULL, NULL},", "};"]
        for member in ("filenames", "shebangs"):
            out.append(f"static const char *const {name}_{member}[] = {{")
            out += [f"    {word(text)}," for text in lang[member]]
            out += ["    NULL,", "};"]
        if lang["masks"]:
            out.append(f"static const struct grammar_mask {name}_masks[] = {{")
            out += [f"    {{{word(mask)}, {word(shown)}}}," for mask, shown in lang["masks"].items()]
            out += ["    {NULL, NULL},", "};"]
        if lang["reserved"] or lang["empty_before"]:
            out += adaptation(lang)
        for query in QUERIES:
            text = "".join(squeeze(f.read_text(encoding="utf-8")) for f in query_files(root, lang, query))
            out += [f"static const char {name}_{query}[] =", literal(text) + ";"]
    out += ["", "const struct grammar grammars[] = {"]
    for lang in languages:
        name = lang["name"]
        out += [
            "    {",
            f"        .name = {word(name)},",
            f"        .key_prefix = {word(lang['key_prefix'])},",
            f"        .language = {name + '_adapted' if lang['reserved'] or lang['empty_before'] else lang['symbol']},",
            f"        .extensions = {name}_extensions,",
            f"        .filenames = {name}_filenames,",
            f"        .shebangs = {name}_shebangs,",
            f"        .language_id = {word(lang['language_id'])},",
            f"        .outline = {word(lang['outline']) if lang['outline'] else 'NULL'},",
        ]
        if lang["masks"]:
            out.append(f"        .masks = {name}_masks,")
        out += [f"        .{query} = {name}_{query}," for query in QUERIES]
        out.append("    },")
    out += ["};", "const size_t n_grammars = sizeof(grammars) / sizeof(grammars[0]);", ""]
    out += [f'const char grammars_maker[] = "{READING}-{maker(root, out)}";', ""]
    output.write_text("\n".join(out), encoding="utf-8")


def main(args):
    if len(args) == 2 and args[0] == "--list":
        for lang in load(pathlib.Path(args[1])):
            print(lang["name"], lang["package"], lang["source"], lang["symbol"], sep="|")
    elif len(args) == 2 and args[0] == "--queries":
        root = pathlib.Path(args[1]).parent
        files = {}
        for lang in load(pathlib.Path(args[1])):
            for query in QUERIES:
                found = query_files(root, lang, query)
                if query == "entities" and not found:
                    sys.exit(f"{lang['name']}: no entities.scm in {', '.join(lang['queries'])}")
                files.update({str(f.relative_to(root)): None for f in found})
        print("\n".join(files))
    elif len(args) == 2:
        manifest = pathlib.Path(args[0])
        write_registry(manifest.parent, load(manifest), pathlib.Path(args[1]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
