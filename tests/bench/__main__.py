"""Run every benchmark: ratios, each measured in one interleaved run."""

from tests.bench import (
    bench_automation,
    bench_blocks,
    bench_changes,
    bench_console,
    bench_explorer,
    bench_fleet,
    bench_import,
    bench_listing,
    bench_model,
    bench_sandbox,
    bench_study,
)

for bench in (
    bench_automation,
    bench_import,
    bench_model,
    bench_fleet,
    bench_study,
    bench_explorer,
    bench_sandbox,
    bench_blocks,
    bench_listing,
    bench_changes,
    bench_console,
):
    bench.main()
