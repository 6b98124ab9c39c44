"""Where in an event, however deep, are the personal texts and the numbers?

Found once per class from its annotations; a class without any costs nothing afterwards.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import inspect

from lms.domain.base import Forgotten, Sealed

Visit = Callable[[str, Any], Any]
"""(dotted path, value) -> what takes its place."""

Walk = Callable[[str, Any, Visit], Any]
"""Visits what is wanted inside a value, and gives the value with the replacements."""

Walks = Mapping[type, Walk]
"""How to walk a value, by its Python type; types without anything wanted are absent."""

Wanted = Callable[[inspect.Type], tuple[type, ...]]
"""The Python types that are to be visited where a field has this declared type."""


def personal(declared: inspect.Type) -> tuple[type, ...]:
    """Personal texts: only a union that may be sealed is one, a plain string is not."""
    if isinstance(declared, inspect.UnionType) and any(_is_sealed(option) for option in declared.types):
        return (str, Sealed, Forgotten)
    return (Sealed, Forgotten) if _is_sealed(declared) else ()


def numbers(declared: inspect.Type) -> tuple[type, ...]:
    """Numbers that may lie outside what JSON can say."""
    match declared:
        case inspect.DecimalType():
            return (Decimal,)
        case inspect.FloatType():
            return (float,)
        case _:
            return ()


def integers(declared: inspect.Type) -> tuple[type, ...]:
    """Whole numbers, which Python keeps at any size and nobody else does."""
    return (int,) if isinstance(declared, inspect.IntType) else ()


def find(cls: type[msgspec.Struct], wanted: Wanted) -> Walk | None:
    """How to visit the wanted fields of a class, None when it has none."""
    return _walks(inspect.type_info(cls), wanted).get(cls)


def _is_sealed(declared: inspect.Type) -> bool:
    return isinstance(declared, inspect.StructType) and declared.cls is Sealed


def _walks(declared: inspect.Type, wanted: Wanted) -> Walks:  # noqa: PLR0911 - one line per kind of type
    hits = wanted(declared)
    if hits:
        found: dict[type, Walk] = dict.fromkeys(hits, _visit)
        inner = declared.types if isinstance(declared, inspect.UnionType) else ()
        return _merged(inner, wanted) | found
    match declared:
        case inspect.UnionType(types):
            return _merged(types, wanted)
        case inspect.StructType(cls, fields):
            parts = {field.name: walks for field in fields if (walks := _walks(field.type, wanted))}
            return {cls: _struct_walk(parts)} if parts else {}
        case inspect.VarTupleType(item):
            return _container(tuple, item, wanted, _sequence_walk)
        case inspect.ListType(item):
            return _container(list, item, wanted, _sequence_walk)
        case inspect.DictType(_, value):
            return _container(dict, value, wanted, _mapping_walk)
        case _:
            return {}


def _merged(options: tuple[inspect.Type, ...], wanted: Wanted) -> dict[type, Walk]:
    return {cls: walk for option in options for cls, walk in _walks(option, wanted).items()}


def _container(kind: type, item: inspect.Type, wanted: Wanted, make: Callable[[Walks], Walk]) -> Walks:
    walks = _walks(item, wanted)
    return {kind: make(walks)} if walks else {}


def _visit(path: str, value: Any, visit: Visit) -> Any:
    return visit(path, value)


def _inside(walks: Walks, path: str, value: Any, visit: Visit) -> Any:
    walk = walks.get(type(value))
    return value if walk is None else walk(path, value, visit)


def _struct_walk(parts: Mapping[str, Walks]) -> Walk:
    def walk(path: str, value: Any, visit: Visit) -> Any:
        prefix = f"{path}." if path else ""
        changes = {}
        for name, walks in parts.items():
            before = getattr(value, name)
            after = _inside(walks, prefix + name, before, visit)
            if after is not before:
                changes[name] = after
        return msgspec.structs.replace(value, **changes) if changes else value

    return walk


def _sequence_walk(walks: Walks) -> Walk:
    def walk(path: str, value: Any, visit: Visit) -> Any:
        return type(value)(_inside(walks, f"{path}.{index}", item, visit) for index, item in enumerate(value))

    return walk


def _mapping_walk(walks: Walks) -> Walk:
    def walk(path: str, value: Any, visit: Visit) -> Any:
        return {key: _inside(walks, f"{path}.{key}", item, visit) for key, item in value.items()}

    return walk
