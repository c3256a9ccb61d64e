#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Draws docs/pictures/bench_*.svg from docs/benchmarks.tsv, the figures last measured.

    plot.py                      draw
    plot.py NAME <OUTPUT         first put the figures of a run of `./dev bench NAME` in place of those that are there

The same figures give the same bytes. Standard library only.
"""
import math
import os
import re
import sys
from xml.sax.saxutils import escape

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs")
FIGURES = os.path.join(DOCS, "benchmarks.tsv")
COLUMNS = ("benchmark", "name", "built", "low", "high", "goal", "unit", "source")
COLOURS = {"gcc_O2": "#3b6fb6", "gcc_O3": "#8fb2de", "clang_O2": "#c2702c", "clang_O3": "#e5b48a"}
INK, FAINT, GOAL = "#222222", "#777777", "#b03030"


# --- the file -------------------------------------------------------------------------------------------------------

def read():
    with open(FIGURES, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file]
    rows = []
    for line in lines:
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != len(COLUMNS):
            raise SystemExit(f"plot: docs/benchmarks.tsv has a line of {len(fields)} fields: {line}")
        rows.append(dict(zip(COLUMNS, fields)))
    return [line for line in lines if line.startswith("#")], rows[1:]


def write(remarks, rows):
    with open(FIGURES, "w", encoding="utf-8") as file:
        for line in remarks:
            print(line, file=file)
        print(*COLUMNS, sep="\t", file=file)
        for row in rows:
            print(*(row[column] for column in COLUMNS), sep="\t", file=file)


def built_of(name):
    """name_gcc_O2 in two."""
    found = re.fullmatch(r"(.+?)_((?:gcc|clang)(?:_O2|_O3|_O3_native)?)", name)
    return found.groups() if found else (name, "")


def figures_of(benchmark, output):
    """What a run has printed, as rows."""
    def row(name, built, value, goal, unit):
        return dict(zip(COLUMNS, (benchmark, name, built, value, value, goal, unit, "./dev bench " + benchmark)))

    for line in output:
        words = line.split()
        if line.startswith("ratio ") and len(words) >= 5:  # ratio NAME VALUE goal [>=] GOAL
            more = words[4] == ">="
            yield row(*built_of(words[1]), words[2], " ".join(words[4:]), "times" if more else "ratio")
        elif line.startswith("info peers_polars_"):  # info NAME VALUE times the time of driftless
            yield row(*built_of(words[1]), words[2], "-", "times")
        elif line.startswith("nexmark ") and len(words) == 12 and words[2].startswith("q"):
            yield row(f"{words[2]} {words[3]} from {words[4]}", words[1], words[11], "-", "M records/s per core")


def merge(benchmark, output, rows):
    """Figures of the same build that are there already go, and those of the README as soon as there are others."""
    new = list(figures_of(benchmark, output))
    if not new:
        raise SystemExit(f"plot: nothing in this output is a figure of {benchmark}")
    names = {(row["name"], row["built"]) for row in new}

    def goes(row):
        return row["benchmark"] == benchmark and (
            row["source"] == "README.md" or (row["name"], row["built"]) in names)

    at = next((i for i, row in enumerate(rows) if row["benchmark"] == benchmark), len(rows))
    return [row for row in rows[:at] if not goes(row)] + new + [row for row in rows[at:] if not goes(row)]


# --- pictures -------------------------------------------------------------------------------------------------------

class Picture:
    """Rows with a label each, along a logarithmic axis."""
    left, right, step, top = 400, 24, 17, 58

    def __init__(self, title, rows, least, greatest, ticks, axis):
        self.width, self.height = 900, self.top + self.step * rows + 34
        self.least, self.span = math.log(least), math.log(greatest / least)
        self.bounds = (least, greatest)
        self.lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" role="img" aria-label="{escape(title)}" font-family="sans-serif" font-size="11">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>']
        self.text(10, 20, title, INK, "start", 14)
        bottom = self.height - 28
        for tick in ticks:
            x = self.x(tick)
            self.line(x, self.top - 10, x, bottom, INK if tick == 1 else "#dddddd", 1)
            self.text(x, bottom + 14, f"{tick:g}", FAINT, "middle")
        self.text(self.width - self.right, self.top - 16, axis, FAINT, "end")

    def x(self, value):
        value = min(max(value, self.bounds[0]), self.bounds[1])
        return self.left + (math.log(value) - self.least) / self.span * (self.width - self.left - self.right)

    def y(self, row):
        return self.top + self.step * row + self.step / 2

    def text(self, x, y, text, colour, anchor, size=11):
        self.lines.append(f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" '
                          f'font-size="{size}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, colour, width):
        self.lines.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                          f'stroke-width="{width}"/>')

    def label(self, row, text):
        self.text(self.left - 8, self.y(row) + 4, text if len(text) <= 66 else text[:64] + "...", INK, "end")

    def reach(self, row, low, high, colour, shift):
        """A range, or a dot where both ends are one."""
        y = self.y(row) + shift
        if high > low * 1.02:
            self.line(self.x(low), y, self.x(high), y, colour, 3)
        else:
            self.lines.append(f'<circle cx="{self.x(high):.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')

    def bar(self, row, value, colour, shift, thick):
        y = self.y(row) + shift - thick / 2
        self.lines.append(f'<rect x="{self.left}" y="{y:.1f}" width="{self.x(value) - self.left:.1f}" '
                          f'height="{thick}" fill="{colour}"/>')

    def goal(self, row, value):
        self.line(self.x(value), self.y(row) - 7, self.x(value), self.y(row) + 7, GOAL, 2)

    def key(self, entries):
        x = self.left
        for text, colour in entries:
            self.lines.append(f'<rect x="{x}" y="{self.top - 26}" width="10" height="10" fill="{colour}"/>')
            self.text(x + 14, self.top - 17, text, FAINT, "start")
            x += 22 + 7 * len(text)

    def save(self, name):
        with open(os.path.join(DOCS, "pictures", name), "w", encoding="utf-8") as file:
            print("\n".join(self.lines + ["</svg>"]), file=file)


def label_of(name):
    found = re.fullmatch(r"peers_(duckdb|polars)_(memory|files|csv)_(\w+)", name)
    if not found:
        return name.replace("_", " ")
    peer = {"duckdb": "DuckDB", "polars": "Polars"}[found[1]]
    place = {"memory": "memory", "files": "files (log, Parquet)", "csv": "CSV"}[found[2]]
    return f"{peer}: windows of {found[3]} keys from {place}"


def by_name(rows):
    """(benchmark, name) -> its rows, in the order of the file."""
    out = {}
    for row in rows:
        out.setdefault((row["benchmark"], row["name"]), []).append(row)
    return out


def draw_ranges(name, title, rows, least, greatest, ticks, axis):
    names = by_name(rows)
    picture = Picture(title, len(names), least, greatest, ticks, axis)
    shown = [built for built in COLOURS if any(row["built"] == built for row in rows)]
    picture.key([(built.replace("_", " -"), COLOURS[built]) for built in shown] + [("goal", GOAL)])
    for i, ((_, label), builds) in enumerate(names.items()):
        picture.label(i, label_of(label))
        goal = builds[0]["goal"].lstrip("> =")
        if goal != "-":
            picture.goal(i, float(goal))
        for row in builds:
            place = shown.index(row["built"]) if row["built"] in shown else 0
            colour = COLOURS.get(row["built"], COLOURS["gcc_O2"])
            picture.reach(i, float(row["low"]), float(row["high"]), colour, 3 * place - 1.5 * (len(shown) - 1))
    picture.save(name)


def draw_nexmark(rows):
    rows = [row for row in rows if row["built"] == rows[0]["built"]]
    ways = {"batch from memory": "#3b6fb6", "stream from memory": "#8fb2de", "batch from files": "#c2702c",
            "stream from files": "#e5b48a"}
    queries = list(dict.fromkeys(row["name"].split()[0] for row in rows))
    queries.sort(key=lambda query: int(query[1:]))
    Picture.step, kept = 24, Picture.step
    Picture.left, left = 60, Picture.left
    picture = Picture("Nexmark: millions of records per second and core", len(queries), 0.005, 100,
                      (0.01, 0.1, 1, 10, 100), "more is better")
    picture.key(list(ways.items()))
    for i, query in enumerate(queries):
        picture.label(i, query)
        for row in rows:
            if row["name"].split()[0] != query:
                continue
            way = list(ways).index(row["name"].split(" ", 1)[1])
            picture.bar(i, float(row["high"]), list(ways.values())[way], 5 * way - 7.5, 4)
    picture.save("bench_nexmark.svg")
    Picture.step, Picture.left = kept, left


def draw(rows):
    # Lines of code, say, are no ratio to anything; their benchmark has no picture.
    floors = [row for row in rows if row["unit"] == "ratio" and row["benchmark"] != "compile_time"]
    peers = [row for row in rows if row["unit"] == "times"]
    nexmark = [row for row in rows if row["unit"] == "M records/s per core"]
    draw_ranges("bench_floors.svg", "Time, of that of a loop by hand that does the same", floors, 0.008, 4,
                (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 4), "less is better")
    draw_ranges("bench_peers.svg", "Times faster than others, or than the slow way to do it", peers, 0.5, 200,
                (0.5, 1, 2, 5, 10, 20, 50, 100, 200), "more is better")
    if nexmark:
        draw_nexmark(nexmark)


def main():
    remarks, rows = read()
    if len(sys.argv) > 1:
        rows = merge(sys.argv[1], sys.stdin, rows)
        write(remarks, rows)
    draw(rows)


main()
