"""Write the pages that follow from the code and the settings: parameters, commands, datasets, and llms.txt."""

import inspect
import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
import yaml
from kedro.framework.cli.cli import KedroCLI
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog, SharedMemoryDataset
from kedro.pipeline import Node
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel, RootModel

from rnn_pipelines.console.lazy import LazyCommand
from rnn_pipelines.forecast.parameters import IN_MEMORY, FrameSpec, list_parameter_models
from rnn_pipelines.runs.run_store import RunsSpec
from rnn_pipelines.sentiment.interface import list_sentiment_models

DOCS = Path(__file__).parent
PROJECT = DOCS.parent
# The text of a page above this line is written by its authors.
MARK = "<!-- docs/generate.py writes the rest. -->\n"
TASKS = ("forecast", "pretrain", "sentiment", "compare", "internals", "parameters")
# What the head of the page of commands says of all of them.
RUN_OPTIONS = (
    *("--from-nodes TEXT", "--to-nodes TEXT", "--nodes TEXT", "--tags TEXT", "--pipelines TEXT"),
    *(
        "--namespaces TEXT",
        "--params TEXT",
        "--only-missing-outputs",
        "--wait SECONDS",
        "--verbose",
    ),
)
# Targets of those who change the project, which CONTRIBUTING.md describes.
DEVELOPER_TARGETS = {
    *(
        "test-changed",
        "test-slow",
        "fuzz",
        "mutations",
        "simulate",
        "coverage",
        "lint",
        "measure",
        "format",
    ),
    *("lock", "docs-serve", "dist", "clean", "help"),
}
USUAL_CODES, USUAL_OPTIONS = ("0", "1", "2", "75"), ("env", "is_json")
KEY = re.compile(r"( *)([\w.]+):.*?(?: # (.*))?$")
LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
# What a block accepts besides the types of its model.
WIDER = dict.fromkeys(("source.valid_range", "lstm.units", "gru.units"), ("str",))
# Limits from here on only keep numbers within memory, and are not listed.
LARGE = 10_000
TYPES = {
    "string": "text",
    "null": "`null`",
    "boolean": "`true` or `false`",
    "object": "mapping of names",
}


def list_pages() -> dict[Path, str]:
    """Return the text of each generated page, by path."""
    bootstrap_project(PROJECT)
    bodies = {
        "reference/parameters.md": write_parameters(),
        "reference/commands.md": write_commands(),
        "reference/data-sets.md": write_datasets(),
    }
    pages = {
        DOCS / name: (DOCS / name).read_text().partition(MARK)[0] + MARK + body
        for name, body in bodies.items()
    }
    return pages | {DOCS / "llms.txt": write_index()} | list_stubs()


def list_stubs() -> dict[Path, str]:
    """Return the types of the parameter blocks for editors, by the path of the stub."""
    source = PROJECT / "src/rnn_pipelines"
    given = {
        name: kind
        for name, kind in list_parameter_models().items()
        if "root" not in kind.model_fields
    }
    return {
        source / "forecast/blocks.pyi": write_stub("Forecaster", given),
        source / "sentiment/blocks.pyi": write_stub("TextClassifier", list_sentiment_models()),
    }


def write_stub(user: str, models: dict[str, type[BaseModel]]) -> str:
    """Return a stub with a typed dictionary of each block."""
    parts = []
    for name, model in models.items():
        fields = {
            field: write_type(info.annotation, WIDER.get(f"{name}.{field}", ()))
            for field, info in model.model_fields.items()
            if not (model is FrameSpec and field in IN_MEMORY)
        }
        title = f"{name.title().replace('_', '')}Block"
        base = "TypedDict"
        # A class cannot define `from`, a keyword of Python, by its name.
        if "from" in fields:
            base = f"_{title}Start"
            parts.append(
                f'{base} = TypedDict("{base}", {{"from": {fields.pop("from")}}}, total=False)'
            )
        lines = [f"    {field}: {type_}" for field, type_ in fields.items()]
        parts.append("\n".join([f"class {title}({base}, total=False):", *lines]))
    body = "\n\n".join(parts)
    imports = "from collections.abc import Sequence\n" if "Sequence" in body else ""
    imports += "from typing import Literal, TypedDict"
    note = f'"""The blocks of parameters of `{user}`, for editors. docs/generate.py writes this file."""'
    return f"{note}\n\n{imports}\n\n{body}\n"


def write_type(kind: Any, others: Iterable[str] = ()) -> str:
    """Return the type of a parameter as a user gives it, with other types that its block accepts."""
    types = dict.fromkeys([*list_types(kind), *others])
    return " | ".join(sorted(types, key=lambda name: name == "None"))


def list_types(kind: Any) -> Iterator[str]:
    """Yield the members of a union of types, or a type."""
    origin = get_origin(kind)
    arguments = get_args(kind)
    if origin is Annotated:
        yield from list_types(arguments[0])
    elif origin in (Union, UnionType):
        for argument in arguments:
            yield from list_types(argument)
    elif origin is Literal:
        values = [json.dumps(one) if isinstance(one, str) else repr(one) for one in arguments]
        yield f"Literal[{', '.join(values)}]"
    elif origin is tuple and arguments[-1] is Ellipsis:
        item = write_type(arguments[0])
        yield from (item, f"Sequence[{item}]")
    elif origin is tuple:
        yield f"tuple[{', '.join(map(write_type, arguments))}]"
    else:
        yield "None" if kind is type(None) else kind.__name__


class Tables:
    """The tables of the parameters in some files."""

    def __init__(self, texts: list[str]) -> None:
        self.values = {key: value for text in texts for key, value in flatten(yaml.safe_load(text))}
        self.notes = {key: note for text in texts for key, note in read_notes(text).items()}
        self.shown: dict[type, str] = {}

    def write_block(self, block: str, kind: type[BaseModel]) -> str:
        """Return the table of a block; its type and default if it is one value or has the keys of an earlier block."""
        inner = (
            list(list_models(kind.model_fields["root"].annotation))
            if issubclass(kind, RootModel)
            else [kind]
        )
        if kind in self.shown or not inner:
            type_ = self.shown.get(kind) or describe(kind.model_json_schema())
            return f"{write_value(f'`{dump(self.values[block])}`', type_)}.\n"
        self.shown[kind] = f"as [`{block}`](#{block.replace('.', '')})"
        rows = list(self.list_rows(inner[0], block if inner[0] is kind else f"{block}.<name>"))
        lines = (
            f"- `{key.removeprefix(f'{block}.')}` ({value}){': ' if meaning else ''}{meaning}\n"
            for key, value, meaning in rows
        )
        return "".join(lines)

    def list_rows(self, model: type[BaseModel], path: str) -> Iterator[tuple[str, str, str]]:
        """Yield name, default with type, and meaning of each parameter of a model, and of the models inside it."""
        schemas = model.model_json_schema()["properties"]
        for name, field in model.model_fields.items():
            place = f"{path}.{name}"
            schema = schemas[name]
            inner = list(list_models(field.annotation))
            is_mapping = get_origin(field.annotation) is dict
            value = self.values.get(place, schema.get("default", ...))
            default = "required" if value is ... else f"`{dump(value)}`"
            meaning = find_meaning(model, name, self.notes.get(place, ""))
            if not inner or is_mapping:
                yield place, write_value(default, describe_briefly(schema, meaning)), meaning
            for part in inner:
                if part in self.shown:
                    yield place, write_value(default, self.shown[part]), meaning
                else:
                    kind = (
                        f"({get_args(part.model_fields['kind'].annotation)[0]})"
                        if len(inner) > 1
                        else ""
                    )
                    yield from self.list_rows(part, place + (".<name>" if is_mapping else kind))


def write_parameters() -> str:
    """Return the tables of all parameters, by file."""
    types: dict[str, Any] = TypeExtractor(dict(pipelines)).extract_types_from_pipelines() | {
        "runs": RunsSpec
    }
    files = sorted(
        (PROJECT / "conf/base").glob("parameters*.yml"),
        key=lambda path: (len(path.stem), path.stem),
    )
    files.sort(key=lambda path: TASKS.index(path.stem.split("_")[-1]))
    tables = Tables([path.read_text() for path in files])
    parts = []
    for path in files:
        about = "".join(f"{line} " for line in re.findall(r"\A# (.*)", path.read_text()))
        heading = path.stem.removeprefix("parameters_").replace("parameters", "All pipelines")
        parts.append(f"\n## {heading}\n\n{about}File: `conf/base/{path.name}`.\n")
        for block, note in read_notes(path.read_text()).items():
            if block in types:
                sentence = (
                    f"{note[:1].upper()}{note[1:]}.\n\n" if note and note[:3] != "or:" else ""
                )
                parts.append(
                    f"\n### `{block}`\n\n{sentence}{tables.write_block(block, types[block])}"
                )
    return "".join(parts)


def flatten(values: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value of nested dictionaries with its dotted path."""
    for key, value in values.items():
        yield f"{path}{key}", value
        if isinstance(value, dict):
            yield from flatten(value, f"{path}{key}.")


def read_notes(text: str) -> dict[str, str]:
    """Return the comment of each key of a file of parameters, by dotted path; empty if there is none."""
    notes = {}
    path = [(-1, "")]
    for indent, key, note in (
        found.groups() for line in text.splitlines() if (found := KEY.match(line))
    ):
        path = [*((depth, name) for depth, name in path if depth < len(indent)), (len(indent), key)]
        notes[".".join(name for _, name in path[1:])] = re.sub(r"\bnull\b", "`null`", note or "")
    return notes


def list_models(kind: Any) -> Iterator[type[BaseModel]]:
    """Yield the parameter models in a type, without those inside them."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from list_models(part)


def write_value(default: str, type_: str) -> str:
    """Return the default of a parameter with its type or its other choices, if the default does not show them."""
    if default == "`null`":
        return f"`null`, {type_.removesuffix(' or `null`')}"
    if type_.startswith(f"{default}, "):
        return f"{default}; or {type_.removeprefix(f'{default}, ')}"
    if f", {default}" in type_:
        return f"{default}; or {type_.replace(f', {default}', '')}"
    is_shown = type_ in ("text", TYPES["boolean"])
    return default if is_shown and default != "required" else f"{default}, {type_}"


def describe_briefly(schema: dict[str, Any], meaning: str) -> str:
    """Return the type of a value, without its choices if its meaning names them all."""
    choices = [str(choice) for choice in schema.get("enum", [])]
    is_told = choices and all(re.search(rf"\b{choice}\b", meaning) for choice in choices)
    return "text" if is_told else describe(schema)


def describe(schema: dict[str, Any]) -> str:
    """Return the type of a value, with its range or choices."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(describe(part) for part in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{dump(value)}`" for value in schema.get("enum", [schema.get("const")]))
    if schema["type"] == "array":
        return f"list of {describe(schema.get('items') or schema['prefixItems'][0])}".replace(
            " or ", "/"
        )
    limits = [
        f"{sign} {schema[key]:,.10g}"
        for key, sign in LIMITS.items()
        if abs(schema.get(key, LARGE)) < LARGE
    ]
    return f"{TYPES.get(schema['type'], schema['type'])} {', '.join(limits)}".strip()


def find_meaning(kind: type[BaseModel], name: str, note: str) -> str:
    """Return the comment of a key; if it is missing or only qualifies the value, the sentence of the docstring."""
    attributes = dict[str, str]()
    for model in reversed(kind.__mro__):
        text = (inspect.cleandoc(model.__doc__ or "") + "\n").partition("\nAttributes:\n")[2]
        for names, meaning in re.findall(
            r"^    ([\w, ]+): (?!see )(.*(?:\n {8}.*)*)", text, re.MULTILINE
        ):
            attributes |= dict.fromkeys(names.split(", "), " ".join(meaning.split()))
    is_partial = not note or re.match(r"`null`|(or|true|of|such as)\b", note)
    return (
        attributes.get(name, note).replace("None", "`null`").removesuffix(".")
        if is_partial
        else note
    )


def dump(value: Any) -> str:
    """Return a value as YAML on one line, shortened."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True
    )
    return textwrap.shorten(text.removesuffix("...\n").strip(), 70, placeholder=" …")


def write_commands() -> str:
    """Return the options of all commands, and the targets of make."""
    program = KedroCLI(PROJECT)
    targets = re.findall(r"^([a-z-]+):.*## (.*)$", (PROJECT / "Makefile").read_text(), re.M)
    commands = {
        name: program.get_command(click.Context(program), name)
        for name in ("champion", "runs", "run")
    }
    parts = [
        part
        for name, command in commands.items()
        if command
        for part in list_help(command, f"kedro {name}")
    ]
    lines = [
        f"- `make {name}`: {text}\n" for name, text in targets if name not in DEVELOPER_TARGETS
    ]
    return "".join([*parts, "\n## make\n\n`make help` lists all targets.\n\n", *lines])


def list_help(command: click.Command, path: str) -> Iterator[str]:
    """Yield the heading, the help and the options of a command, and those of its commands."""
    if isinstance(command, LazyCommand):
        command = command.load()
    about, _, codes = inspect.cleandoc(command.help or "").partition("\b\nExit codes:\n")
    paragraphs = [" ".join(paragraph.split()) for paragraph in about.split("\n\n") if paragraph]
    yield "".join(
        f"\n{paragraph}\n" for paragraph in [f"{'#' * len(path.split())} `{path}`", *paragraphs]
    )
    rows = [line.split(maxsplit=1) for line in codes.splitlines()]
    special = [f"{code} {meaning}" for code, meaning in rows if code not in USUAL_CODES]
    if special:
        yield f"\nExit codes: {', '.join(special)}.\n"
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from list_help(inner, f"{path} {name}")
    else:
        yield list_options(command, path)


def list_options(command: click.Command, path: str) -> str:
    """Return the arguments of a command, and its options without those of all commands."""
    context = click.Context(command)
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    options = [
        param
        for param in command.params
        if isinstance(param, click.Option) and param.name not in USUAL_OPTIONS
    ]
    names = [f"`{param.make_metavar(context)}`".replace("|", " or ") for param in arguments]
    lines = [f"- {', '.join(names)}\n"] if names else []
    for name, text in filter(None, (option.get_help_record(context) for option in options)):
        # Kedro's own options have long helps, and only some of them occur in the pages.
        if path == "kedro run" and not name.endswith(RUN_OPTIONS):
            continue
        meaning = text.split(". ")[0] if path == "kedro run" and "[default" not in text else text
        lines.append(f"- `{name}`: {' '.join(meaning.split())}\n")
    return "\n" + "".join(lines)


def write_datasets() -> str:
    """Return a line for each entry of the catalog that is kept: the nodes that write it, and those that read it."""
    with KedroSession.create(PROJECT, env="base") as session:
        catalog = session.load_context().catalog
    pipelines.set_requested(None)
    graphs = {name: graph for name, graph in pipelines.items() if name != "__default__"}
    nodes = [node for graph in graphs.values() for node in graph.nodes]
    parts = []
    for name in sorted(graphs):
        entries = dict.fromkeys(
            find_entry(catalog, dataset)
            for node in graphs[name].nodes
            for dataset in node.outputs
            if not isinstance(catalog[dataset], SharedMemoryDataset)
        )
        parts.append(f"\n### {name}\n\n")
        parts += [write_entry(catalog, entry, nodes) for entry in entries]
    return "".join(parts)


def write_entry(catalog: DataCatalog, entry: str, nodes: list[Node]) -> str:
    """Return the line of an entry."""

    def list_nodes(side: str) -> str:
        names = [
            f"`{node.name}`"
            for node in nodes
            if entry in (find_entry(catalog, name) for name in getattr(node, side))
        ]
        return ", ".join(dict.fromkeys(names))

    readers = list_nodes("inputs")
    return f"- `{entry}`: {list_nodes('outputs')}{' → ' if readers else ''}{readers}\n"


def find_entry(catalog: DataCatalog, name: str) -> str:
    """Return the name of the entry of a dataset, which may be a pattern."""
    resolver = catalog.config_resolver
    return name if name in resolver.config else resolver.match_dataset_pattern(name) or name


def write_index() -> str:
    """Return llms.txt: the pages of the navigation with their first sentences, as llmstxt.org describes."""
    settings = yaml.safe_load((PROJECT / "mkdocs.yml").read_text())
    sections: dict[str, list[Any]] = {"Overview": []}
    for title, target in (item for entry in settings["nav"] for item in entry.items()):
        sections.setdefault(title if isinstance(target, list) else "Overview", []).append(target)
    parts = [f"# {settings['site_name']}\n\n> {settings['site_description']}\n"]
    for title, targets in sections.items():
        places = re.findall(r"[\w/-]+\.md", str(targets))
        parts.append(f"\n## {title}\n\n" + "".join(write_line(DOCS / place) for place in places))
    return "".join(parts)


def write_line(path: Path) -> str:
    """Return the line of a page: its title, its address and its first sentence."""
    notebook = PROJECT / "notebooks" / f"{path.stem}.ipynb"
    text = (
        "".join(json.loads(notebook.read_text())["cells"][0]["source"])
        if notebook.exists()
        else path.read_text()
    )
    title, _, body = text.strip().partition("\n")
    paragraph = next(
        (text for text in body.strip().split("\n\n") if re.match(r"[A-Z`*\[]", text)), ""
    )
    found = re.match(
        r".+?(\.(?= |$)|(?=:$))",
        re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split())),
    )
    place = (
        path.relative_to(DOCS)
        .with_suffix("")
        .as_posix()
        .removesuffix("README")
        .removesuffix("index")
    )
    return f"- [{title.removeprefix('# ')}]({place.strip('/') or '.'}/){f': {found[0]}' if found else ''}\n"


if __name__ == "__main__":
    for page, content in list_pages().items():
        page.write_text(content)
