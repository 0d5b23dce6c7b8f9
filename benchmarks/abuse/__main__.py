"""Attacks the started product and measures what others feel: python -m benchmarks.abuse [--quick] [--only PART]

Each part starts the server, measures others' requests while it is quiet and then during the attack. BEFORE=CHECKOUT in the
environment does the same to an earlier version, in the same run. A new part is a module beside this one and a line below.
"""

from functools import partial

from benchmarks.abuse import frames, guesses, member, readers, returning, sockets
from benchmarks.part import Parts, run_parts


def parts(quick: bool) -> Parts:
    seconds = 3.0 if quick else 10.0
    return {
        "readers": partial(readers.measure, "readers", seconds),
        "streams": partial(readers.measure, "streams", seconds),
        "frames": partial(frames.measure, seconds),
        "sockets": partial(sockets.measure, seconds),
        "guesses": partial(guesses.measure, seconds),
        "posts": partial(member.measure_posts, "posts", 3 * seconds),
        "burst": partial(member.measure_posts, "burst", 3 * seconds),
        "strangers": partial(member.measure_strangers, 3 * seconds),
        "returning": partial(returning.measure, seconds),
    }


if __name__ == "__main__":
    run_parts("benchmarks.abuse", (__doc__ or "").partition("\n")[0], parts)
