"""The time to import snapkit, against that of the two libraries it stands on."""

import statistics
import subprocess
import sys
from time import perf_counter

ROUNDS = 7


def main() -> None:
    """Print the ratio of medians over interleaved rounds, and what should not have been loaded."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(seconds("import boto3, pandas"))
        ours.append(seconds("import snapkit"))
    print(f"import: {statistics.median(ours) / statistics.median(theirs):.2f} times boto3 and pandas (limit 1.3)")


def seconds(statement: str) -> float:
    """Time a fresh interpreter that runs one statement [s]."""
    begin = perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)  # noqa: S603 - our own text
    return perf_counter() - begin


if __name__ == "__main__":
    main()
