"""`GET /captcha/challenge`: the puzzles of the built-in captcha, in ALTCHA's format."""

from regserver.endpoint import Request
from regserver.service.proof_of_work import ProofOfWork
from regserver.web.captcha import wire
from regserver.web.http.route import Route


class CaptchaApi:
    """Serves puzzles."""

    def __init__(self, proof: ProofOfWork) -> None:
        self._proof = proof

    def routes(self) -> tuple[Route, ...]:
        """Its only route."""
        return (Route("captcha.challenge", "GET", "/captcha/challenge", self.challenge, "captcha"),)

    async def challenge(self, _: Request) -> wire.PuzzleIssued:
        """Get a puzzle, whose solution is the `captcha` of one request.

        The format is that of ALTCHA's proof of work, version 2: its widgets and libraries solve it.
        """
        return wire.puzzle_issued(self._proof.puzzle())
