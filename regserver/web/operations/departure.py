"""A node that was told to stop and serves on for a while."""


class Departure:
    """is_near: whether the node was told to stop."""

    def __init__(self) -> None:
        self.is_near = False

    async def check(self) -> str | None:
        """A part of readiness, see Checks: requests should go to other nodes."""
        return "this node was told to stop" if self.is_near else None
