"""``make bench ENGINE=name``: an engine's own promises, where it has a module here, and its memory at 200,000 columns.

``ENGINE=all`` measures the memory of every engine. Options are those of the engine's own module, where it has one.
"""

import subprocess
import sys
from pathlib import Path

from benchmarks.engines.sources import SOURCES


def main(name: str, *options: str) -> int:
    """Whether everything was kept, as an exit code; 2 if there is no such engine."""
    if name not in {*SOURCES, "all"}:
        print(f"There is no engine “{name}” to measure. Known: {', '.join(sorted(SOURCES))}; all.", file=sys.stderr)
        return 2
    own = name in SOURCES and Path(__file__).with_name(f"{name}.py").exists()
    parts = [[f"benchmarks.engines.{name}", *options]] if own else []
    parts.append(["benchmarks.engines.memory", name, *(() if own else options)])
    return max(subprocess.run([sys.executable, "-m", *part], check=False).returncode for part in parts)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
