"""Builds what clients of the rooms ask for that know more than the protocol."""

from regserver.app.base import Base
from regserver.service.room_admission import RoomAdmission
from regserver.service.room_owner_service import RoomOwnerService
from regserver.service.room_search_service import RoomSearchService
from regserver.service.seen_service import SeenService
from regserver.web.http.route import Route
from regserver.web.rooms.owner_endpoint import RoomOwnerApi
from regserver.web.rooms.search_endpoint import RoomSearchApi
from regserver.web.rooms.seen_endpoint import SeenApi


def more_routes(base: Base, admission: RoomAdmission) -> tuple[Route, ...]:
    """The routes of owners, of searches and of unread marks."""
    finding = RoomSearchService(admission, base.settings.rooms.suggest)
    return (
        *SeenApi(SeenService(admission, base.broker)).routes(),
        *RoomOwnerApi(RoomOwnerService(admission)).routes(),
        *RoomSearchApi(finding).routes(),
    )
