"""The settings of live registration, and of the source that it reads."""

from typing import Annotated, Literal

from regserver.config.section import Secret, Section, within
from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, Duration


class LiveFile(Section, frozen=True):
    """path: of the roster."""

    path: str = "roster.toml"


class LiveHttp(Section, frozen=True):
    """url: of the service. timeout: of a check, and of the silence between two lines."""

    url: str = ""
    timeout: Annotated[Duration, within(SECOND // 10, HOUR)] = Duration(30 * SECOND)
    bearer: Secret = Secret("")


class LiveCommand(Section, frozen=True):
    """argv: the executable and its arguments. env: its variables. timeout: of a check, and of the silence between two lines."""

    argv: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    timeout: Annotated[Duration, within(SECOND // 10, HOUR)] = Duration(30 * SECOND)


class LiveSection(Section, frozen=True):
    """Live registration, and the source that it reads. recheck: how long the source's yes holds; 0 for ever."""

    source: Literal["file", "http", "command", "none"] = "file"
    deadline: Annotated[Duration, within(SECOND // 10, DAY)] = MINUTE
    replay: Annotated[Duration, within(0, DAY)] = MINUTE
    max_running: Annotated[int, within(1, 100_000)] = 200
    recheck: Annotated[Duration, within(0, 3650 * DAY)] = Duration(0)
    file: LiveFile = LiveFile()
    http: LiveHttp = LiveHttp()
    command: LiveCommand = LiveCommand()
