"""The web page at `GET /`: sign in, watch a registration, talk in rooms.

One template and one stylesheet, a few small script modules, no build step. All words stand in `text.json`, for the
template and the script alike. Nothing is loaded from elsewhere, and the Content-Security-Policy keeps it so.
"""

from regserver.web.page.door import PageDoor

__all__ = ["PageDoor"]
