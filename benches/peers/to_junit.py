#!/usr/bin/env python3
"""Turn reports that are kept as HTML or CSV into JUnit XML, one file a run, for
`rasher backtest --snapshots`.

    to_junit.py html DIR OUT     Surefire's HTML reports (2.x and 3.x), one a run, named by date
    to_junit.py csv DIR OUT      runs.csv, cases.csv and classes.csv of a suite's history

A class row's time becomes the time of its suite, so that its set-up is the difference to its cases.
"""

import csv
import html
import pathlib
import re
import sys
from collections import defaultdict
from xml.sax.saxutils import quoteattr

ROW = re.compile(r"<tr[^>]*>(.*?)</tr>", re.S)
CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.S)
LINK = re.compile(r'href="#([^"]+)"')
TAG = re.compile(r"<[^>]+>")
HEAD = re.compile(r"<h3[ >].*?</h3>(?:\s*<a name=\"([^\"]+)\"></a>)?", re.S)
FAILED = {"failure": "failure", "error": "error", "skip": "skipped"}


def text(cell):
    return " ".join(html.unescape(TAG.sub("", cell)).split())


def seconds(words):
    try:
        return float(words.replace(",", "").rstrip("s"))
    except ValueError:
        return None


def write(path, classes, cases):
    """classes: name to seconds; cases: name to [(test, seconds, state)]."""
    lines = ["<testsuites>"]
    for name, rows in sorted(cases.items()):
        total = max(classes.get(name, 0.0), sum(row[1] for row in rows))
        lines.append(f"<testsuite name={quoteattr(name)} time=\"{total:.3f}\" tests=\"{len(rows)}\">")
        for test, took, state in rows:
            inner = f"<{state}/>" if state else ""
            lines.append(
                f"<testcase classname={quoteattr(name)} name={quoteattr(test)} "
                f'time="{took:.3f}">{inner}</testcase>'
            )
        lines.append("</testsuite>")
    path.write_text("\n".join(lines + ["</testsuites>", ""]), encoding="utf-8")


def of_html(page):
    classes, cases = {}, defaultdict(list)
    parts = re.split(r"<h2[^>]*>\s*(?:<a[^>]*></a>)?\s*Test Cases", page)
    for row in ROW.findall(parts[0]):
        cells = CELL.findall(row)
        link = LINK.search(row)
        if len(cells) == 8 and link and seconds(text(cells[7])) is not None:
            classes[link.group(1)] = seconds(text(cells[7]))
    body = parts[1] if len(parts) > 1 else ""
    short = {}
    for name in classes:
        short.setdefault(name.rsplit(".", 1)[-1], name)
    heads = list(HEAD.finditer(body))
    for at, head in enumerate(heads):
        end = heads[at + 1].start() if at + 1 < len(heads) else len(body)
        title = text(head.group(0))
        name = head.group(1) or short.get(title, title)
        for row in ROW.findall(body[head.end() : end]):
            cells = CELL.findall(row)
            took = seconds(text(cells[-1])) if len(cells) >= 3 else None
            test = text(cells[1]) if took is not None else ""
            if test:
                icon = cells[0].lower()
                state = "skipped" if "skip" in icon or "warning" in icon else None
                state = "failure" if "error" in icon or "remove" in icon else state
                cases[name].append((test, took, state))
    return classes, cases


def all_html(folder, out):
    for page in sorted(folder.rglob("*.html")):
        classes, cases = of_html(page.read_text(encoding="utf-8", errors="replace"))
        if cases:
            write(out / f"{page.stem}.xml", classes, cases)


def all_csv(folder, out):
    rows = lambda name: csv.DictReader((folder / name).open(encoding="utf-8"))
    when = {row["run"]: row["committed_at"][:19].replace(":", "") for row in rows("runs.csv")}
    classes, cases = defaultdict(dict), defaultdict(lambda: defaultdict(list))
    for row in rows("classes.csv"):
        classes[row["run"]][row["class"]] = float(row["seconds"] or 0)
    for row in rows("cases.csv"):
        state = FAILED.get(row["status"])
        case = (row["test"], float(row["seconds"] or 0), state)
        cases[row["run"]][row["class"]].append(case)
    for run, own in cases.items():
        write(out / f"{when[run]}_{run}.xml", classes[run], own)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("html", "csv"):
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    {"html": all_html, "csv": all_csv}[sys.argv[1]](pathlib.Path(sys.argv[2]), out)


if __name__ == "__main__":
    main()
