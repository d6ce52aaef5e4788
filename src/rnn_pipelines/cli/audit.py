"""`kedro champion audit`: whether the log of forecasts is unchanged, and which forecasts it proves."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.utils import env_option
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.io import DatasetError

from rnn_pipelines.champion.verdict import read_log_stamp
from rnn_pipelines.cli.options import AS_JSON, add_exit_codes, print_result
from rnn_pipelines.errors import ChampionError, ParameterError, RnnPipelinesError, make_line
from rnn_pipelines.forecast.operations.audit import audit_chain, describe_audit, prove_forecasts
from rnn_pipelines.hooks.paths import read_outputs
from rnn_pipelines.printing import print_text, write_list
from rnn_pipelines.storage.chain import Link
from rnn_pipelines.storage.files import replace_file
from rnn_pipelines.storage.formats import dump_object, read_object

LOG = "predict_forecast_forecasts"
SERIES = "monitor_forecast_series"
CHAMPION = "monitor_forecast_champion"
FOLDER = "monitor_forecast_champion_folder"
BROKEN = 30


@click.command()
@click.argument("task", type=click.Choice(["forecast"]))
@env_option
@AS_JSON
@click.option(
    "--against",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Stamp that the chain must contain.",
)
@click.option(
    "--stamp",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the newest hash to FILE, new or an earlier stamp.",
)
@click.pass_context
@add_exit_codes({0: "unchanged", BROKEN: "the log was changed; the first wrong row is named"})
def audit(
    ctx: click.Context,
    task: str,
    env: str | None,
    is_json: bool,
    against: Path | None,
    stamp: Path | None,
) -> None:
    """Verify that the log of forecasts is unchanged, and measure the forecasts that were made before their values.

    Each night's rows carry the hash of the night before. A stamp that someone else keeps proves that the log up to it
    was not written again.
    """
    stamped = None if against is None else _read_stamp(against)
    if stamp is not None and stamp.exists():
        _read_stamp(stamp)  # no other file is overwritten
    session = KedroSession.create(env=env)
    with session:
        # Imports only this pipeline and checks only its parameters, as in its run.
        pipelines.set_requested(["monitor_forecast"])
        catalog: Any = session.load_context().catalog
        kept = read_log_stamp(catalog.load(FOLDER))
        if kept is None and not catalog.exists(LOG):
            raise ChampionError(
                "there are no forecasts yet. Run kedro run --pipelines=predict_forecast."
            )
        nights = catalog[LOG].iterate_nights() if catalog.exists(LOG) else ()
        chain, links = audit_chain(nights, stamped, kept)
        is_ok = chain["verdict"] == "ok"
        proof, problem = _prove(catalog, links) if is_ok else (None, None)
    if stamp is not None and chain["sha256"] is None:
        print_text(f"{stamp}: no stamp is written, because no night has a hash.", is_error=True)
    elif stamp is not None and is_ok:
        fields = {
            name: chain[name] for name in ("sha256", "last_recorded_at", "num_nights", "num_rows")
        }
        written_at = datetime.now(UTC).isoformat(timespec="seconds")
        replace_file(
            stamp, dump_object({"format": 1, "task": task, **fields, "written_at": written_at})
        )
    first, *rest = describe_audit(chain, proof, problem)
    facts = {"task": task, **chain, "problem": problem, **(proof or {})}
    print_result(is_json, facts, write_list(f"{task}: {first}", rest))
    ctx.exit(0 if is_ok else BROKEN)


def _prove(catalog: Any, links: Sequence[Link]) -> tuple[dict[str, Any] | None, str | None]:
    """Return the errors of the forecasts, see `prove_forecasts`; or why the series could not be read for them."""
    try:
        # As the monitor reads them.
        read = read_outputs((SERIES, CHAMPION), pipelines["monitor_forecast"], catalog)
        return prove_forecasts(catalog.load(LOG), links, read[SERIES], read[CHAMPION]), None
    except (RnnPipelinesError, DatasetError, OSError) as error:
        # The chain needs no series.
        return None, make_line(error)


def _read_stamp(path: Path) -> str:
    try:
        content = read_object(path.read_bytes(), path)
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"{path}: expected a stamp of kedro champion audit ({error})."
        ) from None
    if not isinstance(content.get("sha256"), str) or not {"task", "num_nights"} <= content.keys():
        raise ParameterError(
            f"{path}: expected a stamp of kedro champion audit, with task, num_nights and sha256."
        )
    return str(content["sha256"])
