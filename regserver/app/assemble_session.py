"""Builds what people see of their sessions; signing in and out is with the other doors."""

from contextlib import AsyncExitStack

from regserver.app.base import AppPart, Base
from regserver.service.account_service import AccountService
from regserver.service.session_service import NamedTokenPolicy, SessionService
from regserver.web.sign_in.session_endpoint import SessionApi
from regserver.web.site.session import BrowserSessionApi


async def open_sessions(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the routes /login/sessions, /login/tokens and /session."""
    login = base.settings.login
    named = NamedTokenPolicy(login.named_tokens, login.named_token_ttl, login.named_token_max_ttl)
    accounts = AccountService(base.identity, base.broker)
    browser = BrowserSessionApi(base.identity, accounts, base.web.forwarded, base.clock)
    sessions = SessionApi(SessionService(base.identity, base.broker, named))
    return AppPart(routes=(*sessions.routes(), *browser.routes()))
