"""What is kept about one person, for a document that they can take with them."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId

Record = Mapping[str, str | int | None]
"""One row as it is told: member → value. Times are instants, truths are 0 or 1."""
Place = tuple[int | str | bytes, ...]
"""How far the reading of a part has come."""


class RecordPage(msgspec.Struct, frozen=True):
    """Some records of a part. after: where the next page begins; None at the part's end. A page may be empty before that."""

    records: tuple[Record, ...]
    after: Place | None


class ExportTable(Protocol):
    """The parts of the document, each read in pages, so that no unit of work reads for long."""

    async def page(self, part: str, account: AccountId, after: Place | None, limit: int) -> RecordPage:
        """The next `limit` records of a part. after: of the page before; None for the first. Raises KeyError."""
