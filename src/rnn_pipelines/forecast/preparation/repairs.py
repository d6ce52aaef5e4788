"""Repairs of series, which log and profile list."""

import logging

from rnn_pipelines.forecast.series.tables import Profile

logger = logging.getLogger(__name__)


def add_repair(profile: Profile, sentence: str) -> Profile:
    """Return the profile with a repair, or with a fault that stays, and log it."""
    logger.warning("%s: %s", profile["source"], sentence)
    return {**profile, "repairs": [*profile["repairs"], sentence]}
