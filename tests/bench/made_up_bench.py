"""What `bench` could have measured, all of it unequal."""

from batik_scratch import bench

PROGRAMS = ("fast", bench.OURS, "slow")


def measured(counts=(1, 3)):
    """Seconds of 5 rounds, median and mean apart: 0.01, 0.02 ... for program, work and one thread; then a half."""
    made = bench.Comparison(6, 48, 5)
    for p, name in enumerate(PROGRAMS):
        for count in counts:
            middles = [(0.01 * (1 + p) + 0.1 * w) / count for w in range(3)]
            rounds = [[m / 2, 9 * m, m, 3 * m, m / 4] for m in middles]
            made.seconds[name, count] = dict(zip(bench.WORK, rounds, strict=True))
            made.memory[name, count] = 100.0 * (1 + p) + count
    return made
