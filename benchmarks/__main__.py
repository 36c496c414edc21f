"""``make bench``: every promise about speed and memory, measured against its floor in one run.

Machines differ and are noisy, so what counts are ratios of medians, floor and work in turn. ``--only`` chooses a part;
``--relations`` sets the size of the source, ``--rounds`` the number of measurements, ``--million`` adds memory at 1,000,000 columns.
"""

import argparse
import sys

from benchmarks import heart, inspections
from benchmarks.promise import HEAD


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--only", choices=["inspections", "heart"])
    parser.add_argument("--relations", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--million", action="store_true")
    options = parser.parse_args()
    found = []
    if options.only != "heart":
        found += inspections.promises(relations=options.relations, rounds=options.rounds, million=options.million)
    if options.only != "inspections":
        found += heart.promises()
    print(HEAD)
    print("\n".join(map(str, found)))
    return 0 if all(each.kept for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
