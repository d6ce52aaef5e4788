"""OpenLineage events in a file, validated with the published JSON schema."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

SCHEMAS = Path(__file__).parents[1] / "connectors/openlineage"


def make_validators() -> dict[str, Draft202012Validator]:
    """Return the validators of events and facets, by the name in the schema."""
    schemas = {path.stem: json.loads(path.read_text()) for path in SCHEMAS.rglob("*.json")}
    resources = [(schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()]
    # Facets refer to several releases of one schema, which only adds to the earlier ones.
    event = schemas["OpenLineage"]
    older = [
        (f"https://openlineage.io/spec/2-0-{n}/OpenLineage.json", Resource.from_contents(event))
        for n in range(3)
    ]
    registry = Registry().with_resources([*resources, *older])
    names = {**{name: schema["$id"] for name, schema in schemas.items()}, "RunEvent": event["$id"]}
    return {
        name: Draft202012Validator(
            {"$ref": f"{address}#/$defs/{'RunEvent' if name == 'OpenLineage' else name}"},
            registry=registry,
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        for name, address in names.items()
    }


def read_events(path: Path) -> list[dict[str, Any]]:
    """Return the events of a file, each of which the schemas allow, as all of its facets."""
    validators = make_validators()
    events = [json.loads(line) for line in path.read_text().splitlines()]
    for event in events:
        validators["RunEvent"].validate(event)
        for facet in list_facets(event):
            # A facet without a schema here is a KeyError.
            validators[facet["_schemaURL"].rpartition("/")[2]].validate(facet)
    return events


def list_facets(event: Any) -> list[dict[str, Any]]:
    """Return all facets in an event."""
    if isinstance(event, list):
        return [facet for value in event for facet in list_facets(value)]
    if not isinstance(event, dict):
        return []
    return [event] if "_schemaURL" in event else list_facets(list(event.values()))
