"""The page that a mailed link opens: it says whose registration it is, and a button confirms it.

Programs that check links in mails follow them, so opening the page changes nothing. The challenge stands behind the
`#` of the link: browsers neither send that part nor put it into a Referer, so no log of ours or of a proxy has it.
"""

from regserver.web.confirm.door import ConfirmDoor

__all__ = ["ConfirmDoor"]
