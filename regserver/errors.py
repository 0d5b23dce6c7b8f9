"""The HTTP status of every refusal.

Sign-in, live registration and rooms answer `{"error": "<the refusal's name>"}` with this status. The steps and the
directory word their own refusals beside their endpoints; refusals that can happen at every door are in this table too.
"""

from regserver.domain import operator_outcome as operator
from regserver.domain import outcome as o

STATUS: dict[type[o.Refusal], int] = {
    # the request itself
    o.BadJson: 400,
    o.BadContentType: 415,
    o.BodyTooLarge: 413,
    o.TooManyRequests: 429,
    o.RouteNotFound: 404,
    o.MethodNotAllowed: 405,
    o.UpgradeRequired: 426,
    o.ForeignOrigin: 403,
    o.OperatorsOnly: 403,
    o.InternalError: 500,
    o.StoreUnavailable: 503,
    o.ServerBusy: 503,
    # operators
    operator.BadServiceName: 400,
    operator.NotPermitted: 403,
    operator.BadKeyName: 400,
    operator.BadRole: 400,
    operator.KeyNameTaken: 409,
    operator.KeyNotFound: 404,
    operator.TooManyKeys: 400,
    operator.AccountUnchanged: 409,
    operator.NameOnLedger: 409,
    operator.InvitationNotFound: 404,
    operator.BadInvitation: 400,
    operator.BadWebhook: 400,
    operator.WebhookNotFound: 404,
    operator.StepsNotFound: 404,
    operator.BadContactName: 400,
    operator.SeveralProviders: 409,
    operator.BadClient: 400,
    operator.NoMailServer: 409,
    operator.ReloadUnavailable: 409,
    # authentication
    o.MissingAuth: 401,
    o.BadAuthType: 400,
    o.BadToken: 401,
    o.MissingToken: 401,
    o.TooManySockets: 429,
    o.UserIsDeleted: 410,
    o.NotApproved: 403,
    # sign-in
    o.BadCredentials: 401,
    o.PasswordAtSource: 403,
    o.RecentSignInRequired: 403,
    o.SecondFactorRequired: 401,
    o.BadCode: 401,
    o.FactorExists: 409,
    o.BadPasskey: 400,
    o.PasskeyRefused: 401,
    o.PasskeyNotFound: 404,
    o.SourceUnavailable: 503,
    o.RegistrationNotFound: 404,
    # sign-up with the rooms
    o.BadEmail: 400,
    o.BadPhone: 400,
    o.BadUsername: 400,
    o.BadPassword: 400,
    o.BadCaptcha: 400,
    o.UsernameTaken: 409,
    o.EmailTaken: 409,
    o.BadLink: 404,
    o.BadRecovery: 404,
    o.EmailNotVerified: 403,
    o.RegistrationClosed: 403,
    o.InvitationRequired: 403,
    o.AccountNotFound: 404,
    # sessions
    o.SessionNotFound: 404,
    o.BadTokenName: 400,
    o.BadExpiresIn: 400,
    o.TooManyTokens: 400,
    o.NamedTokenRefused: 403,
    # rooms
    o.BadId: 400,
    o.BadOtherUsers: 400,
    o.BadRoomName: 400,
    o.TooManyUsers: 400,
    o.InvitationRefused: 403,
    o.QuotaExceeded: 429,
    o.TooManyBlocks: 400,
    o.RoomNotFound: 404,
    o.NotInRoom: 401,
    o.BadPostContent: 400,
    o.PostNotFound: 404,
    o.NotYourPost: 403,
    o.NotRoomOwner: 403,
    o.BadSearch: 400,
    o.BadCursor: 400,
    o.BadSubscription: 400,
    o.SubscriptionNotFound: 404,
    # retries
    o.BadIdempotencyKey: 400,
    o.IdempotencyConflict: 409,
}


def name(refusal: o.Refusal) -> str:
    """The name of the refusal in an error body."""
    return refusal.wire_name or type(refusal).__name__
