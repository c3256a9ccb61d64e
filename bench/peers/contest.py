# SPDX-License-Identifier: BSL-1.0
"""bench/peers/contest.py - count and sum per user in windows of a minute: driftless, DuckDB and Polars in turn, one
thread each.

    contest.py SUFFIX PROGRAM FOLDER CELL...

SUFFIX     compiler and flags of PROGRAM, windows.cpp, for the names of the lines
FOLDER     for files; one in memory, so that no disk has a say
CELL       RECORDS:USERS:ROUNDS

All answers are compared before anything is timed, and each time. What counts is the median of CPU seconds over rounds.
"""
import os

os.environ["POLARS_MAX_THREADS"] = "1"  # before it is imported

import shutil
import statistics
import subprocess
import sys
import time

try:
    import duckdb
except ImportError:
    duckdb = None
try:
    import polars
except ImportError:
    polars = None

PLACES = ("memory", "files", "csv")
PRIME = 65521  # as in windows.cpp
MINUTE = 60_000
GOALS = {"memory": 3.0, "files": 3.0, "csv": 3.5}


class Driftless:
    name = "driftless"

    def __init__(self, program, records, users, folder):
        self.program = subprocess.Popen([program, str(records), str(users), folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if self.line() != "ready":
            raise SystemExit("peers: windows did not start")

    def line(self):
        return self.program.stdout.readline().strip()

    def run(self, place):
        """CPU seconds and the answer: rows, records, cents, and a sum of what tells users and windows apart."""
        print(place, file=self.program.stdin, flush=True)
        seconds, *answer = self.line().split()
        return float(seconds), tuple(map(int, answer))

    def close(self):
        self.program.stdin.close()
        self.program.wait()


def timed(ask):
    before = time.process_time()
    answer = ask()
    return time.process_time() - before, tuple(map(int, answer))


class DuckDB:
    name = "duckdb"

    def __init__(self, folder):
        columns = "columns = {'user': 'BIGINT', 'cents': 'BIGINT', 'at_ms': 'BIGINT'}"
        csv = f"read_csv('{folder}/sales.csv', header = true, auto_detect = false, delim = ',', {columns})"
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1")
        self.connection.execute(f"CREATE TABLE sales AS SELECT * FROM {csv}")
        self.connection.execute(f"COPY sales TO '{folder}/sales.parquet' (FORMAT parquet)")
        self.sources = {"memory": "sales", "files": f"read_parquet('{folder}/sales.parquet')", "csv": csv}

    def run(self, place):
        mixed = f"(user % {PRIME}) * (s % {PRIME}) + (w % {PRIME}) * (n + user % {PRIME})"
        query = f"""
            SELECT count(*), sum(n), sum(s), sum({mixed}) FROM (
                SELECT user, at_ms // {MINUTE} AS w, count(*) AS n, CAST(sum(cents) AS BIGINT) AS s
                FROM {self.sources[place]} GROUP BY ALL)"""
        return timed(lambda: self.connection.execute(query).fetchone())

    def close(self):
        self.connection.close()


class Polars:
    name = "polars"

    def __init__(self, folder):
        schema = {"user": polars.Int64, "cents": polars.Int64, "at_ms": polars.Int64}
        table = polars.read_csv(f"{folder}/sales.csv", schema=schema)
        self.sources = {"memory": table.lazy, "csv": lambda: polars.scan_csv(f"{folder}/sales.csv", schema=schema)}
        if os.path.exists(f"{folder}/sales.parquet"):  # DuckDB has written it
            self.sources["files"] = lambda: polars.scan_parquet(f"{folder}/sales.parquet")

    def run(self, place):
        window = (polars.col("at_ms") // MINUTE).alias("w")
        user = polars.col("user") % PRIME
        n, s = polars.len().cast(polars.Int64).alias("n"), polars.col("cents").sum().alias("s")
        mixed = user * (polars.col("s") % PRIME) + (polars.col("w") % PRIME) * (polars.col("n") + user)
        query = self.sources[place]().group_by("user", window).agg(n, s).select(
            polars.len().alias("rows"), polars.col("n").sum(), polars.col("s").sum(), mixed.sum().alias("mixed"))
        return timed(lambda: query.collect(engine="streaming").row(0))  # the faster of its engines at this

    def close(self):
        pass


def contest(suffix, program, folder, records, users, rounds):
    cell = {100: "100", 10_000: "10k", 1_000_000: "1M"}.get(users, str(users))
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    ours = Driftless(program, records, users, folder)
    peers = ([DuckDB(folder)] if duckdb else []) + ([Polars(folder)] if polars else [])
    for place in PLACES:
        everybody = [ours] + [peer for peer in peers if place in peer.sources]
        expected = ours.run(place)[1]
        seconds = {each.name: [] for each in everybody}
        for each in everybody:  # warm, and right
            if each.run(place)[1] != expected:
                raise SystemExit(f"peers: {each.name} and driftless do not agree on {users} users from {place}")
        for turn in range(rounds):
            for i in range(len(everybody)):
                each = everybody[(i + turn) % len(everybody)]
                took, answer = each.run(place)
                if answer != expected:
                    raise SystemExit(f"peers: {each.name} answers otherwise than before")
                seconds[each.name].append(took)
        for name, sample in seconds.items():
            low, middle, high = statistics.quantiles(sample, n=4)
            print(f"info peers_{place}_{cell}_{suffix} {name} {middle / records * 1e9:.1f} ns/record, "
                  f"{records / middle / 1e6:.2f} M records/s, quartiles {low / records * 1e9:.1f} to "
                  f"{high / records * 1e9:.1f}, {rounds} rounds")
        ours_took = statistics.median(seconds["driftless"])
        if duckdb:
            print(f"ratio peers_duckdb_{place}_{cell}_{suffix} "
                  f"{statistics.median(seconds['duckdb']) / ours_took:.3f} goal >= {GOALS[place]:.2f}", flush=True)
        if "polars" in seconds:
            print(f"info peers_polars_{place}_{cell}_{suffix} "
                  f"{statistics.median(seconds['polars']) / ours_took:.3f} times the time of driftless", flush=True)
    for each in [ours] + peers:
        each.close()


def main():
    suffix, program, folder, *cells = sys.argv[1:]
    for name, module in (("duckdb", duckdb), ("polars", polars)):
        if module is None:
            print(f"skipped peers_{name}_{suffix} the Python module {name} is not installed")
        else:
            print(f"info peers {name} {module.__version__}, one thread, CPU time")
    for cell in cells:
        contest(suffix, program, folder, *map(int, cell.split(":")))


main()
