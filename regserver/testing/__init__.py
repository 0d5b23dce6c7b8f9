"""For the tests of those who build on the server: a real one on a real port, with its mail, clock and faults in the test's hands.

    async with testing.server(login={"token_ttl": "1h"}) as server:        in Trio
    with testing.server_thread() as server:                                anywhere else

The fixture `regserver` gives one to each test (docs/testing.md).
"""

from regserver.testing.event import CommittedEvent
from regserver.testing.fault import Failing, FaultKind
from regserver.testing.mailbox import ReceivedMail
from regserver.testing.phone import ReceivedSms
from regserver.testing.running import BlockingServer, SignedUpPerson, TestedServer
from regserver.testing.server import server
from regserver.testing.source import STORY, ScriptLine
from regserver.testing.thread import ServerThread, server_loop, server_thread

__all__ = [
    "STORY",
    "BlockingServer",
    "CommittedEvent",
    "Failing",
    "FaultKind",
    "ReceivedMail",
    "ReceivedSms",
    "ScriptLine",
    "ServerThread",
    "SignedUpPerson",
    "TestedServer",
    "server",
    "server_loop",
    "server_thread",
]
