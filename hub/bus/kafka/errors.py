"""The library's errors, told in the port's words, once, here."""

from __future__ import annotations

from typing import Final

from kafka import errors as kafka  # type: ignore[import-untyped]

from hub.ports.broker import BrokerAway, BrokerError, BrokerRefused, ProducerFenced

FENCED: Final = (kafka.ProducerFencedError, kafka.InvalidProducerEpochError)
REFUSED: Final = (
    kafka.AuthorizationError,
    kafka.SaslAuthenticationFailedError,
    kafka.UnsupportedSaslMechanismError,
    kafka.IllegalSaslStateError,
    kafka.UnsupportedVersionError,
    kafka.PolicyViolationError,
    kafka.InvalidTransactionTimeoutError,
    kafka.InvalidReplicationFactorError,
)


WORDS: Final = 300


def told(error: BaseException, doing: str) -> BrokerError:
    """The port's error for one of the library's; `doing` says what failed, such as "publishing"."""
    cause = _cause(error)
    if isinstance(cause, FENCED):
        return ProducerFenced("another process publishes under this transactional id now")
    if isinstance(cause, REFUSED):
        return BrokerRefused(f"{doing}: the broker does not allow it ({_words(cause)})")
    if isinstance(cause, kafka.CorruptRecordError):
        return BrokerAway(f"{doing}: what the broker gave is damaged ({_words(cause)})")
    return BrokerAway(f"{doing}: the broker does not answer ({_words(cause)})")


def is_foreign(error: BaseException) -> bool:
    """Whether the library or the network raised it, rather than a defect of ours."""
    return isinstance(error, (kafka.KafkaError, OSError)) or (
        isinstance(error, RuntimeError) and "closed" in str(error)
    )


def _cause(error: BaseException) -> BaseException:
    """Some errors of the library only wrap another."""
    if error.args and isinstance(error.args[0], kafka.KafkaError):
        return _cause(error.args[0])
    return error


def _words(error: BaseException) -> str:
    if isinstance(error, kafka.NodeNotReadyError):
        return "no connection to it stands yet"  # the library says "No node_id provided"
    name = type(error).__name__.removesuffix("Error")
    said = "" if error.args == (None,) else str(error).strip()  # the library's timers say "None"
    if len(said) > WORDS:  # some of the library's repeat the whole request
        said = f"{said[:WORDS]} …"
    return f"{name}: {said}" if said and name not in said else (said or name)
