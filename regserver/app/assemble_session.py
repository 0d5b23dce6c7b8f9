"""Builds what people see of their sessions; signing in and out is with the other doors."""

from contextlib import AsyncExitStack

from regserver.app.base import AppPart, Base
from regserver.service.session_service import NamedTokenPolicy, SessionService
from regserver.web.sign_in.session_endpoint import SessionApi


async def open_sessions(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the routes /login/sessions and /login/tokens."""
    login = base.settings.login
    named = NamedTokenPolicy(login.named_tokens, login.named_token_ttl, login.named_token_max_ttl)
    return AppPart(routes=SessionApi(SessionService(base.identity, base.broker, named)).routes())
