"""The keys of policy and catalogue as a page: docs/policy-keys.md, rendered from the models that read them."""

from __future__ import annotations

import ast
import inspect
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from decisions.catalogue import Catalogue
from decisions.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """\
# Every key of policy and catalogue

Written by `make docs` from the models that read the files. An unknown key is an error; a key without a default
must be given; `–` is nothing. What the rules mean together is in [policy.md](policy.md).
"""
_TITLES: dict[type[BaseModel], str] = {Policy: "The policy", Catalogue: "The catalogue"}
_BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}", "min_length": "at least {}"}
_WORDS = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "`true` or `false`",
    "Any": "anything",
    "Id": "name",
    "Channel": "channel",
    "Purpose": "`marketing`, `service`, `transactional`",
    "Currency": "three capitals",
    "Country": "two capitals",
    "TimeZone": "IANA zone",
    "UtcDatetime": "moment with an offset",
    "WallOrMoment": "moment",
    "Window": "window",
    "Hour": "whole hour (`21`) or time of day (`21:30`)",
}


class _Written(NamedTuple):
    """A field as its source says it: the type, and the docstring below it."""

    type: ast.expr
    meaning: str


def render() -> str:
    """Return the page: one section a model, in the order in which keys name them."""
    return "\n".join([_HEAD, *(line for model in models() for line in _section(model))]).rstrip() + "\n"


def models() -> list[type[BaseModel]]:
    """Return policy and catalogue, each before the models that its keys hold."""
    found: list[type[BaseModel]] = []
    waiting: list[type[BaseModel]] = [Policy, Catalogue]
    while waiting:
        model = waiting.pop(0)
        if model not in found:
            found.append(model)
            waiting[:0] = [each for field in model.model_fields.values() for each in _within(field.annotation)]
    return found


def _within(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _within(part)


def _section(model: type[BaseModel]) -> Iterator[str]:
    written = _written(model)
    yield f"## {_TITLES.get(model, model.__name__)}\n"
    yield _plain(inspect.getdoc(model) or "") + "\n"
    yield "| key | value | default | meaning |\n|---|---|---|---|"
    for name, field in model.model_fields.items():
        value = ", ".join([_shape(written[name].type), *_bounds(field)])
        yield f"| `{name}` | {value} | {_default(field)} | {_plain(written[name].meaning)} |"
    yield ""


def _written(model: type[BaseModel]) -> dict[str, _Written]:
    """Return the fields of a model and of its bases as written; what stands nearest to the model wins."""
    bases = (each for each in reversed(model.__mro__) if issubclass(each, BaseModel) and each is not BaseModel)
    return {name: field for base in bases for name, field in _written_in(base)}


def _written_in(model: type[BaseModel]) -> Iterator[tuple[str, _Written]]:
    (definition,) = ast.parse(inspect.getsource(model)).body
    body: list[ast.stmt] = getattr(definition, "body", [])
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, _Written(node.annotation, _docstring(after))


def _docstring(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return inspect.cleandoc(node.value.value)
    return ""


def _shape(node: ast.expr) -> str:
    """Return a type in words; the name of a model leads to its section."""
    match node:
        case ast.BinOp(left=left, right=ast.Constant(value=None)):
            return _shape(left)
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=[item, _])):
            return f"list: {_shape(item)}"
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, value])):
            return f"{_shape(key)} → {_shape(value)}"
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
            parts = choices.elts if isinstance(choices, ast.Tuple) else [choices]
            return ", ".join(f"`{ast.literal_eval(part)}`" for part in parts)
    name = ast.unparse(node)
    return _WORDS.get(name) or f"[{name}](#{name.lower()})"


def _bounds(field: Any) -> Iterator[str]:
    """Return the bounds of numbers and lists; a word's own length goes without saying."""
    bounds = _BOUNDS.items() if field.annotation is not str else ()
    for name, words in bounds:
        for each in field.metadata:
            if (bound := getattr(each, name, None)) is not None:
                yield words.format(bound)


def _default(field: Any) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) and value == type(value)():
        return "its defaults"
    return "–" if value is None or value in ((), {}, "") else f"`{_compact(value)}`"


def _compact(value: Any) -> str:
    """Return a default as YAML's one-line form would have it; of a model only what is not its own default."""
    if isinstance(value, BaseModel):
        return _compact(value.model_dump(exclude_defaults=True, mode="json"))
    if isinstance(value, tuple):
        return f"[{', '.join(map(_compact, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_compact(inner)}" for key, inner in value.items()) + "}"
    return value if isinstance(value, str) else json.dumps(value)


def _plain(text: str) -> str:
    """Return a docstring as one line of Markdown."""
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())
