"""What can go wrong between a client and the server, beside the server's own no."""


class ClientFault(Exception):
    """Base of all exceptions of the client."""


class Unreachable(ClientFault):
    """No answer came, also after the repetitions that were allowed. A request that changes something may have been done."""


class BadAnswer(ClientFault):
    """The answer is not the server's: something else answers at this address. The text says what was wrong."""
