"""Findings on standard output, one line each."""

from regserver.cli import FAILED, FINE
from regserver.domain.finding import Finding


class Report:
    """Prints findings. code: FAILED once one of them is a failure, else FINE."""

    def __init__(self) -> None:
        self.code = FINE

    def show(self, finding: Finding, part: str = "") -> None:
        """Prints one finding. part: what was checked, such as "store"."""
        if finding.level == "fail":
            self.code = FAILED
        level = "FAIL" if finding.level == "fail" else finding.level
        print(f"{level:4} {part}{': ' if part else ''}{finding.text}", flush=True)
