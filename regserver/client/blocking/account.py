"""Made by tests/client/blocking_maker.py from ../account.py, which says what it is for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regserver.client import ask, envelope, wire
from regserver.client.blocking.transport import BlockingHttpTransport


class BlockingAccounts:
    """Sign-up, recovery, sessions, address, password, second factors, passkeys, export, the end.

    Whatever signs in returns a Session, and the client goes on with its token.
    """

    def __init__(self, transport: BlockingHttpTransport) -> None:
        self._transport = transport

    # --- ways in
    def sign_up(
        self, username: str, email: str, password: str, *, invitation: str = "", captcha: str = ""
    ) -> wire.Session:
        """Signs up at the room door. Raises BadEmail, BadUsername, BadPassword, UsernameTaken, EmailTaken, RegistrationClosed…"""
        body = {"username": username, "email": email, "password": password}
        if invitation:
            body["invitation"] = invitation
        if captcha:
            body["captcha"] = captcha
        return self._sign_in(ask.once("/login/register", body))

    def finish_sign_in(self, ticket: str, code: str) -> wire.Session:
        """The second step. ticket: of SecondFactorRequired. code: of the app, or a recovery code. Raises BadCode, BadToken."""
        return self._sign_in(ask.post("/login/factor", {"ticket": ticket, "code": code}))

    def restore(self, username: str, password: str) -> wire.Session:
        """Brings a deleted account back. Raises BadCredentials."""
        return self._sign_in(ask.post("/login/restore", {"username": username, "password": password}))

    def recover(
        self, *, email: str | None = None, username: str | None = None, captcha: str | None = None
    ) -> None:
        """Asks for a link by mail; whether there is such an account is not told. Raises BadCaptcha."""
        body = ask.present(email=email, username=username, captcha=captcha)
        self._transport.send(ask.post("/login/recover", body))

    def finish_recovery(self, token: str, password: str) -> wire.Session:
        """Sets a new password. token: what stands behind the # of the link. Raises BadRecovery, BadPassword."""
        return self._sign_in(ask.post("/login/recover/finish", {"token": token, "password": password}))

    def send_code(
        self, *, email: str | None = None, phone: str | None = None, captcha: str | None = None
    ) -> datetime:
        """Asks for a one-time code; returns when another can be asked for. Raises BadCaptcha."""
        body = ask.present(email=email, phone=phone, captcha=captcha)
        response = self._transport.send(ask.post("/login/code", body))
        return ask.read(response, envelope.NextRetryEnvelope).next_retry

    def sign_in_by_code(
        self, code: str, *, email: str | None = None, phone: str | None = None
    ) -> wire.Session:
        """Raises BadCode."""
        body = ask.present(email=email, phone=phone, code=code)
        return self._sign_in(ask.post("/login/code/verify", body))

    def passkey_challenge(self) -> dict[str, Any]:
        """WebAuthn's request options, for an authenticator."""
        response = self._transport.send(ask.post("/login/passkey/challenge"))
        return ask.read(response, dict[str, Any])

    def sign_in_by_passkey(self, credential: Mapping[str, Any]) -> wire.Session:
        """credential: WebAuthn's answer of the authenticator. Raises BadPasskey."""
        return self._sign_in(ask.post("/login/passkey/verify", credential))

    # --- the account
    def info(self) -> wire.Account:
        """One's own account."""
        response = self._transport.send(ask.get("/login/info"))
        return ask.read(response, envelope.AccountShownEnvelope).user

    def user_id(self, username: str) -> int:
        """The id behind a user name. Raises AccountNotFound."""
        response = self._transport.send(ask.get(f"/login/userId/{ask.segment(username)}"))
        return ask.read(response, envelope.UserIdEnvelope).user_id

    def username(self, user_id: int) -> str:
        """The user name behind an id. Raises AccountNotFound."""
        response = self._transport.send(ask.get(f"/login/username/{user_id}"))
        return ask.read(response, envelope.UsernameEnvelope).username

    def export(self) -> dict[str, Any]:
        """Everything that is kept about the person."""
        response = self._transport.send(ask.get("/login/export"))
        return ask.read(response, dict[str, Any])

    def delete(self, password: str | None = None) -> None:
        """Deletes the account. password: asked for once more, where it is given. Raises BadCredentials."""
        body = None if password is None else {"password": password}
        self._transport.send(ask.delete("/login/delete", body))
        self._transport.token = None

    # --- password and address
    def change_password(self, password: str | None, new_password: str) -> None:
        """Ends all other sessions. password: None for an account without one. Raises BadCredentials, BadPassword."""
        body = ask.present(password=password, newPassword=new_password)
        self._transport.send(ask.post("/login/password", body))

    def change_email(self, password: str | None, email: str) -> None:
        """Sends a link to the new address. Raises BadCredentials, BadEmail."""
        self._transport.send(ask.post("/login/email", ask.present(password=password, email=email)))

    def verify_email(self, token: str) -> str:
        """Confirms an address; returns it. token: what stands behind the # of the link. Raises BadLink."""
        response = self._transport.send(ask.post("/login/email/verify", {"token": token}))
        return ask.read(response, envelope.EmailEnvelope).email

    def undo_email(self, token: str) -> str:
        """Takes a change of address back; returns the old one. Raises BadLink."""
        response = self._transport.send(ask.post("/login/email/undo", {"token": token}))
        return ask.read(response, envelope.EmailEnvelope).email

    def resend_email(self) -> None:
        """Sends the link of a verification once more."""
        self._transport.send(ask.post("/login/email/resend"))

    # --- sessions
    def sessions(self) -> tuple[wire.SessionInfo, ...]:
        """Those of the account, the last used first."""
        response = self._transport.send(ask.get("/login/sessions"))
        return ask.read(response, envelope.SessionsEnvelope).sessions

    def end_session(self, session_id: int) -> None:
        """Raises SessionNotFound."""
        self._transport.send(ask.delete(f"/login/sessions/{session_id}"))

    def make_token(self, name: str, expires_in: int | None = None) -> wire.NamedToken:
        """A named token for a program. expires_in: seconds. Raises BadTokenName, BadExpiresIn, TooManyTokens."""
        body = ask.present(name=name, expiresIn=expires_in)
        return ask.read(self._transport.send(ask.post("/login/tokens", body)), wire.NamedToken)

    def ticket(self) -> wire.Ticket:
        """Opens one WebSocket, where no header can be sent."""
        return ask.read(self._transport.send(ask.post("/login/ticket")), wire.Ticket)

    def sign_out(self, *, everywhere: bool = False) -> None:
        """Ends this session, or all of the account."""
        self._transport.send(ask.delete("/login/token", all="true" if everywhere else None))
        self._transport.token = None

    # --- second factors and passkeys
    def factors(self) -> wire.Factors:
        """What the account has."""
        return ask.read(self._transport.send(ask.get("/login/factors")), wire.Factors)

    def begin_totp(self) -> wire.Totp:
        """What an authenticator app takes in; it counts after `confirm_totp`. Raises FactorExists."""
        return ask.read(self._transport.send(ask.post("/login/totp")), wire.Totp)

    def confirm_totp(self, code: str) -> tuple[str, ...]:
        """Switches the app on; returns the recovery codes. Raises BadCode."""
        response = self._transport.send(ask.post("/login/totp/confirm", {"code": code}))
        return ask.read(response, envelope.RecoveryCodesEnvelope).recovery_codes

    def remove_totp(self, password: str) -> None:
        """Raises BadCredentials."""
        self._transport.send(ask.delete("/login/totp", {"password": password}))

    def passkey_options(self, password: str | None = None) -> dict[str, Any]:
        """WebAuthn's creation options."""
        body = ask.present(password=password) or None
        response = self._transport.send(ask.post("/login/passkey/options", body))
        return ask.read(response, dict[str, Any])

    def add_passkey(self, credential: Mapping[str, Any], name: str = "") -> None:
        """credential: WebAuthn's answer of the authenticator. Raises BadPasskey."""
        body = {**credential, "name": name} if name else credential
        self._transport.send(ask.post("/login/passkey", body))

    def remove_passkey(self, passkey_id: int) -> None:
        """Raises PasskeyNotFound."""
        self._transport.send(ask.delete(f"/login/passkey/{passkey_id}"))

    def _sign_in(self, request: ask.Ask) -> wire.Session:
        session = ask.read(self._transport.send(request), wire.Session)
        self._transport.token = session.token
        return session
