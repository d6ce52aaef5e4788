"""The kinds of series that the packaged networks have learnt: their parts, seasons and horizons."""

PARTS: tuple[str, ...] = (
    "trend",
    "season",
    "long_season",
    "cycle",
    "noise",
    "arima",
    "mixture",
    "exponential",
    "shocks",
    "zeros",
    "stretches",
)

# Season length: probability, fewest and most known values, horizon.
KINDS = {
    1: (0.17, 2, 100, 12),
    4: (0.17, 3, 80, 12),
    12: (0.30, 3, 200, 24),
    7: (0.12, 4, 500, 56),
    52: (0.06, 8, 260, 26),
    24: (0.10, 12, 500, 48),
    48: (0.03, 24, 500, 48),
    0: (0.05, 4, 300, 24),
}
# A season outside the list, in place of 0.
OTHER_SEASONS = (2, 3, 5, 6, 8, 10, 13, 26, 30, 96)


def find_learnt_horizon(season_length: int) -> int:
    """Return the steps ahead that a network learns for series with a season."""
    return KINDS.get(season_length, KINDS[0])[3]
