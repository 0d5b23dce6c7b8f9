"""The texts of live registration's own messages. A source words its own steps."""

from collections.abc import Mapping

from regserver.domain.live_progress import LiveMessage

TEXTS: Mapping[LiveMessage, str] = {
    LiveMessage.NAMED: "Your name was found",
    LiveMessage.REGISTERED: "Registration complete",
    LiveMessage.BROKEN: "Registration could not be completed. Please try again later.",
    LiveMessage.TOO_SLOW: "Registration took too long. Please try again later.",
    LiveMessage.STOPPING: "The server is restarting. Please sign in again in a moment.",
    LiveMessage.NAME_LOST: "This user name was taken meanwhile.",
}


def words(message: str | LiveMessage) -> str:
    """What a user reads: the text of a key of ours, and the source's words as they are."""
    return TEXTS[message] if isinstance(message, LiveMessage) else message
