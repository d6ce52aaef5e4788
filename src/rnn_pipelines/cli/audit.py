"""`kedro champion audit`: whether the log of forecasts is unchanged, and which forecasts it proves."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pandas as pd
from kedro.framework.cli.utils import env_option
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.io import DatasetError

from rnn_pipelines.champion.verdict import read_log_stamp
from rnn_pipelines.cli.options import AS_JSON, add_exit_codes, check_url, print_result
from rnn_pipelines.connectors.time_stamps import (
    CERTIFICATE,
    TimeStamp,
    keep_reply,
    keep_stamp,
    make_query,
    read_tokens,
    request_token,
    verify_token,
)
from rnn_pipelines.errors import ChampionError, ParameterError, RnnPipelinesError, make_line
from rnn_pipelines.forecast.operations.audit import (
    audit_chain,
    describe_audit,
    describe_proofs,
    prove_forecasts,
    prove_totals,
)
from rnn_pipelines.hooks.paths import read_outputs
from rnn_pipelines.printing import print_text, write_list
from rnn_pipelines.storage.chain import Link
from rnn_pipelines.storage.files import replace_file, require_new, write_new
from rnn_pipelines.storage.formats import dump_object, read_object

LOG, TOTALS = "predict_forecast_forecasts", "predict_forecast_totals"
SERIES = "monitor_forecast_series"
CHAMPION = "monitor_forecast_champion"
FOLDER = "monitor_forecast_champion_folder"
GROUPS = "monitor_forecast_covariate_table"
BROKEN = 30
# The folder of the tokens of authorities, in that of the champion.
TIME_STAMPS = "time_stamps"
# The key of a stamp that has the newest hash of the log of totals.
OF_TOTALS = "totals_sha256"
FILE = click.Path(path_type=Path)


@click.command()
@click.argument("task", type=click.Choice(["forecast"]))
@env_option
@AS_JSON
@click.option("--against", metavar="FILE", type=FILE, help="Stamp that the chain must contain.")
@click.option(
    "--stamp",
    metavar="FILE",
    type=FILE,
    help="Write the newest hash to FILE, new or an earlier stamp.",
)
@click.option(
    "--tsa",
    "url",
    metavar="URL",
    callback=check_url,
    help="Let this authority (RFC 3161) put its time to the newest hash.",
)
@click.option(
    "--query", metavar="FILE", type=FILE, help="Write the query for an authority to FILE, new."
)
@click.option("--reply", metavar="FILE", type=FILE, help="Keep an authority's reply to a query.")
@click.option(
    "--authority",
    "certificates",
    metavar="FILE",
    type=FILE,
    multiple=True,
    help="Certificate (PEM) of an authority. Without one, those beside the kept replies.",
)
@click.pass_context
@add_exit_codes({0: "unchanged", BROKEN: "the log was changed; the first wrong row is named"})
def audit(  # noqa: PLR0913, PLR0917 - each is an option
    ctx: click.Context,
    task: str,
    env: str | None,
    is_json: bool,
    against: Path | None,
    stamp: Path | None,
    url: str | None,
    query: Path | None,
    reply: Path | None,
    certificates: tuple[Path, ...],
) -> None:
    """Verify that the log of forecasts is unchanged, and measure the forecasts that were made before their values.

    Each night's rows carry the hash of the night before. A stamp that someone else keeps proves that the log up to it
    was not written again, and a time stamp of an authority also when it was written.
    """
    if stamp is not None and stamp.exists():
        _read_stamp(stamp)  # no other file is overwritten
    if query is not None:
        require_new(query, "Name another file.")
    stamped = {} if against is None else {"the stamp": _read_stamp(against)}
    session = KedroSession.create(env=env)
    with session:
        # Imports only this pipeline and checks only its parameters, as in its run.
        pipelines.set_requested(["monitor_forecast"])
        catalog: Any = session.load_context().catalog
        champion_folder = catalog.load(FOLDER)
        folder = champion_folder / TIME_STAMPS
        kept = read_log_stamp(champion_folder)
        if kept is None and not catalog.exists(LOG):
            raise ChampionError(
                "there are no forecasts yet. Run kedro run --pipelines=predict_forecast."
            )
        if reply is not None:
            keep_reply(folder, reply)
        tokens = read_tokens(folder)
        stamped |= {f"the time stamp {token.path}": token.stamp for token in tokens}
        hashes = {name: content.get("sha256") for name, content in stamped.items()}
        chain, links = audit_chain(_iterate_nights(catalog, LOG), hashes, kept)
        totals, links_of_totals = _audit_totals(catalog, stamped)
        described = chain
        if chain["verdict"] == "ok" and totals.get("verdict") == "broken":
            described = totals | {"reason": f"log of totals: {totals['reason']}"}
            chain |= {name: described[name] for name in ("verdict", "reason", "row")}
        is_ok = chain["verdict"] == "ok"
        proof, problem, verified = None, None, list[dict[str, Any]]()
        if is_ok:
            _write_stamps(folder, task, chain, totals.get("sha256"), (stamp, url, query))
            # The program openssl reads each token, so that they are read again only for a new one.
            tokens = tokens if url is None else read_tokens(folder)
            verified = _verify_tokens(folder, tokens, links, certificates)
            proof, problem = _prove(catalog, links, links_of_totals, verified)
    first, *rest = describe_audit(described, proof, problem)
    rest += map(_describe_token, verified)
    facts = {"task": task, **chain, "problem": problem, **(proof or {}), "time_stamps": verified}
    if totals:
        facts["totals"] = totals | facts.get("totals", {})
        rest += describe_proofs(facts["totals"]) if is_ok else []
    print_result(is_json, facts, write_list(f"{task}: {first}", rest))
    ctx.exit(0 if is_ok else BROKEN)


def _audit_totals(
    catalog: Any, stamped: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Any], list[Link]]:
    """Return `audit_chain` of the log of totals; nothing without a log and a stamp of it."""
    hashes = {name: stamp[OF_TOTALS] for name, stamp in stamped.items() if OF_TOTALS in stamp}
    if not hashes and not catalog.exists(TOTALS):
        return {}, []
    return audit_chain(_iterate_nights(catalog, TOTALS), hashes)


def _iterate_nights(catalog: Any, log: str) -> Iterable[pd.DataFrame]:
    return catalog[log].iterate_nights() if catalog.exists(log) else ()


def _write_stamps(
    folder: Path,
    task: str,
    chain: Mapping[str, Any],
    totals_sha256: str | None,
    targets: tuple[Path | None, str | None, Path | None],
) -> None:
    """Write the stamp of an unchanged log to a file, request a time for it from a URL, or write the query to a file."""
    stamp, url, query = targets
    if chain["sha256"] is None:
        for target in filter(None, targets):
            print_text(
                f"{target}: no stamp is written, because no night has a hash.", is_error=True
            )
        return
    numbers = ("sha256", "last_recorded_at", "num_nights", "num_rows")
    fields = {"format": 1, "task": task, **{name: chain[name] for name in numbers}}
    if totals_sha256 is not None:
        fields[OF_TOTALS] = totals_sha256
    if stamp is not None:
        written_at = datetime.now(UTC).isoformat(timespec="seconds")
        replace_file(stamp, dump_object({**fields, "written_at": written_at}))
    if url is None and query is None:
        return
    token = keep_stamp(folder, fields)
    if query is not None:
        write_new(query, make_query(token))
    if url is not None and not token.exists():
        request_token(token, url)


def _verify_tokens(
    folder: Path, tokens: Sequence[TimeStamp], links: Sequence[Link], certificates: Sequence[Path]
) -> list[dict[str, Any]]:
    """Return the tokens of an unchanged log as JSON, with the newest night that each covers."""
    certificates = certificates or sorted(folder.glob(f"*{CERTIFICATE}"))
    hashes = [link.sha256 for link in links]
    rows = []
    for token in tokens:
        covered = hashes.index(token.stamp["sha256"])
        row = {
            "file": str(token.path),
            "time": token.time.isoformat(),
            "authority": verify_token(token, certificates),
            "num_nights": sum(link.is_linked for link in links[: covered + 1]),
            "last_recorded_at": links[covered].recorded_at.isoformat(),
        }
        rows.append(row)
    return rows


def _describe_token(row: Mapping[str, Any]) -> str:
    covered = f"entries up to night {row['num_nights']:,}, {row['last_recorded_at']}"
    if row["authority"] is None:
        return f"{covered}: time stamp of {row['time']}, not verified without the authority's certificate, --authority"
    return f"{covered}: written before {row['time']} by the clock of {row['authority']}"


def _prove(
    catalog: Any,
    links: Sequence[Link],
    links_of_totals: Sequence[Link],
    time_stamps: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, Any] | None, str | None]:
    """Return `prove_forecasts` with the `totals`; or why the series could not be read for it."""
    try:
        # As the monitor reads them.
        read = read_outputs((SERIES, CHAMPION, GROUPS), pipelines["monitor_forecast"], catalog)
        known = read[SERIES], read[CHAMPION]
        seals = [
            (pd.Timestamp(row["last_recorded_at"]), pd.Timestamp(row["time"]))
            for row in time_stamps
            if row["authority"] is not None
        ]
        proof = prove_forecasts(catalog.load(LOG), links, *known, seals=seals)
        if links_of_totals:
            groups = read[GROUPS], catalog.load("params:forecast.totals")
            proofs = prove_totals(catalog.load(TOTALS), links_of_totals, *known, *groups)
            proof["totals"] = {"by_total": proofs}
        return proof, None
    except (RnnPipelinesError, DatasetError, OSError) as error:
        # The chain needs no series.
        return None, make_line(error)


def _read_stamp(path: Path) -> dict[str, Any]:
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
    return content
