"""Prediction intervals from past errors, in the order in which they are computed; see decision 30.

    levels.py              the levels that a user asks for
    ways.py                what a way to make widths is: the errors that count, over their expected sizes
        past_errors.py     few windows: errors that the pretrained network expects, or those of a simple rule
        panel_errors.py    a panel: fitted and held-out errors of all series
        single_errors.py   a single series: held-out errors
    network_widths.py      special case: bounds between those of past errors and the pretrained network's own
    few_values_errors.py   special case: windows of few values in a panel
    sparse_bounds.py       special case: series with many zeros in a panel
    fitting.py             the first way that applies and the special cases make the `Intervals`, which are saved
    bounding.py            forecast + quantile of the errors × expected size of the window, then the special cases
    finishing.py           bounds enclose the forecast, widen with the level, and stay near known values

`quantiles.py` and `window_facts.py` hold what the ways share.
"""
