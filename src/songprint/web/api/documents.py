"""What commands print as JSON, as types of the API: ``cli/schemas`` describes it for both."""

from __future__ import annotations

import json
from importlib import resources
from typing import Annotated, Any

from pydantic import WithJsonSchema


def schema_of(command: str, part: str | None = None, **more: Any) -> dict[str, Any]:
    """Return what a command prints as a schema that stands for itself, as OpenAPI wants it.

    Parameters
    ----------
    command : str
        The command.
    part : str, optional
        One of the schema's definitions, instead of the whole.
    **more
        Properties that the API adds.
    """
    file = resources.files("songprint.cli") / "schemas" / f"{command}.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    definitions = schema.pop("$defs", {})
    schema = definitions[part] if part else schema
    schema.pop("$schema", None)
    if more:
        schema["properties"].update(more)
    whole: dict[str, Any] = _inlined(schema, definitions)
    return whole


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Put definitions in the place of what refers to them."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        own = {name: value for name, value in schema.items() if name != "$ref"}
        schema = {**definitions[schema["$ref"].removeprefix("#/$defs/")], **own}
    return {name: _inlined(value, definitions) for name, value in schema.items()}


CONFUSION = {
    "description": "Row: genre; column: what it was called. Not where a folder was learnt from.",
    "type": "object",
    "properties": {
        "classes": {"type": "array", "items": {"type": "string"}},
        "matrix": {
            "type": "array",
            "items": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        },
    },
    "required": ["classes", "matrix"],
    "additionalProperties": False,
}

Added = Annotated[dict[str, Any], WithJsonSchema(schema_of("add"))]
Doctor = Annotated[dict[str, Any], WithJsonSchema(schema_of("doctor"))]
Drawn = Annotated[dict[str, Any], WithJsonSchema(schema_of("gallery"))]
Duplicates = Annotated[dict[str, Any], WithJsonSchema(schema_of("duplicates"))]
Evaluated = Annotated[dict[str, Any], WithJsonSchema(schema_of("evaluate"))]
Exported = Annotated[dict[str, Any], WithJsonSchema(schema_of("export"))]
HeardSong = Annotated[dict[str, Any], WithJsonSchema(schema_of("classify", "song"))]
Imported = Annotated[dict[str, Any], WithJsonSchema(schema_of("import"))]
Learnt = Annotated[dict[str, Any], WithJsonSchema(schema_of("train", confusion=CONFUSION))]
Report = Annotated[dict[str, Any], WithJsonSchema(schema_of("report"))]
Tagged = Annotated[dict[str, Any], WithJsonSchema(schema_of("tag"))]
