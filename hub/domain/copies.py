"""Copying and reading frozen dataclasses at a tenth of what `dataclasses.replace` and `__init__` cost: a
command does both dozens of times. For classes without slots and without `__post_init__`."""

from __future__ import annotations

from dataclasses import MISSING, Field
from typing import Any, ClassVar, Protocol, TypeVar


class _Frozen(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=_Frozen)


def but(value: T, **members: Any) -> T:
    """`value` with other `members`, in the same order. Raises TypeError for one that it does not have."""
    copy = object.__new__(type(value))
    held = copy.__dict__
    held.update(value.__dict__, **members)
    if len(held) != len(value.__dict__):
        raise TypeError(f"{type(value).__name__} has no member {', '.join(held.keys() - value.__dict__)}")
    return copy


def read(cls: type[T], document: dict[str, Any]) -> T:
    """The value that has the document's members, converted before; one that an older program did not write
    has its first value. Takes the document over: nobody else may change it. Raises TypeError for an unknown
    or a missing member."""
    if document.keys() != cls.__dataclass_fields__.keys():
        document = _complete(cls, document)
    value = object.__new__(cls)
    object.__setattr__(value, "__dict__", document)
    return value


def _complete(cls: type[_Frozen], document: dict[str, Any]) -> dict[str, Any]:
    fields = cls.__dataclass_fields__
    if unknown := document.keys() - fields.keys():
        raise TypeError(f"{cls.__name__} has no member {', '.join(sorted(unknown))}")
    return {
        name: document[name] if name in document else _first(cls, field) for name, field in fields.items()
    }


def _first(cls: type[_Frozen], field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    if field.default is MISSING:
        raise TypeError(f"{cls.__name__} needs the member {field.name}")
    return field.default
