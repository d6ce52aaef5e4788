"""Training of all networks, on more than one core if it takes long."""

from collections.abc import Mapping

from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.networks.network import TrainedNetwork, size_members
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.training.specs import (
    ForecastTrainingSpec,
    NetworkSpec,
    resolve_hyperparameters,
)
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.networks.beside import run_beside
from rnn_pipelines.networks.engines import choose_engine
from rnn_pipelines.networks.stages import begin_part

# The arguments of `train_network`.
TrainingJob = tuple[FittingData, NetworkSpec, ForecastTrainingSpec]
# The networks of a single series are trained in less time.
SECONDS_ALONE = 10.0


def train_networks(
    data: FittingData, networks: Mapping[str, NetworkSpec], training: ForecastTrainingSpec
) -> dict[str, TrainedNetwork]:
    """Train networks, with the same numbers one after another and side by side.

    A training in NumPy uses one core. If the first one takes longer than `SECONDS_ALONE`, the others are trained at the
    same time by other processes, if there is memory for copies of the data.
    """
    jobs: list[TrainingJob] = [(data, network, training) for network in networks.values()]
    # Keras uses all cores on its own. A pretrained network that is alone leaves nothing to train.
    is_beside = not data.pretrained.is_alone and all(
        _choose_engine(*job) == "numpy" for job in jobs
    )
    if not is_beside:
        trained = {}
        for number, (name, job) in enumerate(zip(networks, jobs, strict=True)):
            begin_part(number, len(jobs))
            trained[name] = _train(job)
        return trained
    return dict(
        zip(networks, run_beside(_train, jobs, SECONDS_ALONE, _count_bytes(data)), strict=True)
    )


def _count_bytes(data: FittingData) -> int:
    """Return about the size of the data with its validation windows, whose history is copied as well."""
    matrices = data.linear.matrices
    refitted = data.linear.refitted
    predictors = len(data.linear.validation) * matrices.shape[2] * matrices.itemsize
    return data.panel.values.nbytes + matrices.nbytes + refitted.nbytes + 2 * predictors


def _train(job: TrainingJob) -> TrainedNetwork:
    return train_network(*job)


def _choose_engine(data: FittingData, network: NetworkSpec, training: ForecastTrainingSpec) -> str:
    chosen = resolve_hyperparameters(data.panel, data.linear, network, training)
    cell = NETWORKS[network.cell].cell
    shape = size_members(
        data.panel, cell, chosen.units, chosen.embedding, chosen.segment, chosen.calendar
    )
    return choose_engine(training.engine, shape, chosen.batch_size)
