"""Batches of windows, gathered when they are needed."""

import tensorflow as tf

from rnn_pipelines.forecast.series.windows import Part, WindowedPanel

# Windows that are shuffled among each other; a longer part passes through this buffer.
SHUFFLE_BUFFER = 100_000


def batch_windows(
    panel: WindowedPanel, part: Part, batch_size: int, shuffle_seed: int | None = None
) -> tf.data.Dataset:
    """The windows of one part as a data set for Keras.

    Args:
        panel: the windows' series.
        part: which windows.
        batch_size: windows in a batch; the last one may be smaller.
        shuffle_seed: for another order in each epoch; None keeps them in order of series and time.
    Returns:
        Pairs of inputs (`history` float32[batch, lookback, feature], with known features `known` float32[batch,
        horizon, feature - 1]) and targets float32[batch, horizon], scaled.
    """
    index = panel.index(part)
    firsts, stops, begins = (tf.constant(a, tf.int64) for a in (index.firsts, index.stops, index.begins))
    values = tf.constant(panel.values)
    back, ahead = tf.range(-panel.lookback, 0, dtype=tf.int64), tf.range(panel.horizon, dtype=tf.int64)

    def gather(numbers: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        run = tf.searchsorted(stops, numbers, side="right")
        origins = tf.gather(firsts, run) + (numbers - tf.gather(begins, run)) * index.stride
        inputs = {"history": tf.gather(values, origins[:, None] + back)}
        targets = tf.gather(values, origins[:, None] + ahead)
        if panel.num_known:
            inputs["known"] = targets[:, :, 1:]
        return inputs, targets[:, :, 0]

    numbers = tf.data.Dataset.range(len(index))
    if shuffle_seed is not None:
        numbers = numbers.shuffle(min(len(index), SHUFFLE_BUFFER), seed=shuffle_seed)
    return numbers.batch(batch_size).map(gather).prefetch(2)
