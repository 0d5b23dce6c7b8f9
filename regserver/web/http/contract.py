"""The contract of an endpoint, derived from the types of its steps."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, get_type_hints

import msgspec

from regserver.domain.outcome import MissingAuth, Refusal
from regserver.web.http.bearer import bearer, optional_bearer
from regserver.web.http.language import LanguageWish, language_of
from regserver.web.http.pipeline import Parameters, RequestBody, RouteEndpoint, idempotency_of, steps_of
from regserver.web.http.schema import members

T = TypeVar("T")


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """summary, description: the docstring of the use case.

    answers: types of JsonAnswer and Response, and None for 204. security: "none", "optional" or "required".
    """

    summary: str
    description: str
    body: type[RequestBody] | None
    parameters: tuple[type[Parameters], ...]
    answers: tuple[Any, ...]
    refusals: tuple[type[Refusal], ...]
    security: str
    is_keyed: bool


def contract_of(endpoint: RouteEndpoint) -> Contract:
    """The contract of an endpoint, from the return type of each step."""
    steps = steps_of(endpoint)
    summary, _, description = (inspect.getdoc(steps[-1]) or "").partition("\n")
    found = [kind for step in steps for kind in returned(step)]
    body = next(_kinds(found, RequestBody), None)
    beside = (LanguageWish,) if language_of in steps else () if body is None else body.beside
    return Contract(
        summary=summary,
        description=description.strip(),
        body=body,
        parameters=(*_kinds(found, Parameters), *beside),
        answers=tuple(kind for kind in returned(steps[-1]) if not _is_kind(kind, Refusal)),
        refusals=tuple(_kinds(found, Refusal)),
        security="required"
        if bearer in steps or MissingAuth in found
        else "optional"
        if optional_bearer in steps
        else "none",
        is_keyed=idempotency_of in steps,
    )


def returned(function: Callable[..., Any]) -> tuple[Any, ...]:
    """The types that a function may return, None for NoneType."""
    kinds = members(get_type_hints(function, include_extras=True)["return"])
    return tuple(None if kind is type(None) else kind for kind in kinds)


def refusals_of(function: Callable[..., Any] | None) -> tuple[type[Refusal], ...]:
    """The refusals that a function may return."""
    return () if function is None else tuple(_kinds(returned(function), Refusal))


def _kinds(found: Iterable[Any], base: type[T]) -> Iterator[type[T]]:
    return (kind for kind in found if _is_kind(kind, base))


def _is_kind(kind: Any, base: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, base)
