"""Prediction intervals from past errors, in the order in which they are computed; see decision 30.

    levels.py              the levels that a user asks for
    ways.py                what a way to make widths is: the errors that count, over their expected sizes
        network_errors.py  1. few windows: errors that the pretrained network expects
        past_errors.py     2. few windows, or constant ones: errors of a simple rule on the past of each series
        panel_errors.py    3. a panel: fitted and held-out errors of all series
        single_errors.py   4. a single series: held-out errors
    network_widths.py      special case: bounds between those of past errors and the pretrained network's own
    few_values_errors.py   special case: windows of few values in a panel
    sparse_bounds.py       special case: series with many zeros in a panel
    fitting.py             the first way that applies and the special cases make the `Intervals`, which are saved
    bounding.py            forecast + quantile of the errors × expected size of the window, then the special cases
    finishing.py           bounds enclose the forecast, widen with the level, and stay near known values

`sizes.py`, `quantiles.py` and `window_facts.py` hold what the ways share.
"""
