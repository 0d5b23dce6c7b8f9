"""What a sign-in can come to."""

import msgspec

from regserver.domain.live_progress import RegistrationId
from regserver.domain.outcome import (
    BadCredentials,
    InvitationRequired,
    NotApproved,
    RegistrationClosed,
    SecondFactorRequired,
    SourceUnavailable,
    TooManyRequests,
    UserIsDeleted,
    UsernameTaken,
)
from regserver.service.identity_service import SignedIn


class Registering(msgspec.Struct, frozen=True):
    """A registration of this user runs; the knowledge of its id is the right to watch it."""

    registration: RegistrationId


SignInRefusal = (
    BadCredentials
    | SecondFactorRequired
    | UserIsDeleted
    | NotApproved
    | UsernameTaken
    | RegistrationClosed
    | InvitationRequired
    | SourceUnavailable
    | TooManyRequests
)
RestoreRefusal = (
    BadCredentials | SecondFactorRequired | UserIsDeleted | NotApproved | SourceUnavailable | TooManyRequests
)
Entered = SignedIn | SecondFactorRequired | UserIsDeleted | NotApproved
SignInOutcome = SignedIn | Registering | SignInRefusal
