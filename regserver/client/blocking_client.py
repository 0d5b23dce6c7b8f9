"""The client for programs without Trio: the doors alone, and nothing that is heard from the server."""

from regserver.client.blocking.api import BlockingDoors
from regserver.client.wire import Session


class BlockingClient(BlockingDoors):
    """As Client, without `await`: `with BlockingClient(url) as client: client.rooms.post(room, "Tea?")`."""

    def sign_in(self, username: str, password: str, *, invitation: str = "") -> Session | str:
        """A session, or for somebody new the address of the WebSocket on which their registration is watched.

        Raises BadCredentials, SecondFactorRequired, UserIsDeleted, SourceUnavailable, TooManyRequests…
        """
        return self.ask_to_sign_in(username, password, invitation=invitation)
