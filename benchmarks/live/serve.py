"""The server of the benchmark: python -m benchmarks.live.serve PORT REPORT SETTING…

It is the real one, with a watch on its loop: the longest step of any task, by the wall and by the thread's own clock,
and the longest run of the garbage collector, which is part of whatever step it happens in.
SIGUSR1 begins a new measurement; SIGTERM writes it to REPORT and ends.
"""

import functools
import gc
import json
import signal
import sys
import time
from pathlib import Path

import trio

from regserver.app import Control, run_app, run_collector
from regserver.config import load


class StepWatch(trio.abc.Instrument):
    """The longest stretch for which one task had the loop."""

    def __init__(self) -> None:
        self._collecting = 0.0
        self.reset()

    def reset(self) -> None:
        self.wall = self.own = self.work = self.collector = 0.0
        self._collected = 0.0  # within the step that runs
        self.task = ""
        self._wall = self._own = float("inf")

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._collected = 0.0
        self._wall, self._own = time.perf_counter(), time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        wall, own = time.perf_counter() - self._wall, time.thread_time() - self._own
        self.wall = max(self.wall, wall)
        self.own = max(self.own, own)
        if own - self._collected > self.work:
            self.work, self.task = own - self._collected, task.name

    def collected(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = time.thread_time()
        else:
            taken = time.thread_time() - self._collecting
            self._collected += taken
            self.collector = max(self.collector, taken)


async def main(port: int, report: Path, settings: list[str]) -> None:
    watch = StepWatch()
    trio.lowlevel.add_instrument(watch)
    gc.callbacks.append(watch.collected)
    control = Control()
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGUSR1) as signals:
        async with trio.open_nursery() as nursery:
            configure = functools.partial(load, None, settings)
            await nursery.start(run_app, configure(), configure, [f"127.0.0.1:{port}"], control)
            nursery.start_soon(run_collector)
            async for number in signals:
                if number == signal.SIGTERM:
                    break
                watch.reset()
            figures = {
                "wall_ms": watch.wall * 1000,
                "own_ms": watch.own * 1000,
                "work_ms": watch.work * 1000,
                "collector_ms": watch.collector * 1000,
                "task": watch.task,
            }
            await trio.Path(report).write_text(json.dumps(figures))
            control.stop.set()


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
