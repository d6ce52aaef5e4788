"""The parameters of `internals`. Does not import Keras, so that parameters are checked before it loads."""

from typing import Annotated

from pydantic import Field

from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

Text = Annotated[str, Field(pattern=r"\w")]


class SampleSpec(ParameterModel, frozen=True):
    """The inputs over which the networks are traced.

    Attributes:
        windows: the largest number of test windows, evenly spread over the test part.
        reviews: the largest number of test reviews, drawn at random.
        held_out: the largest number of test reviews that measure a classifier's accuracy, drawn at random.
        max_words: the largest number of words of a test review; the first one this short is also shown word by word.
        texts: texts that are shown word by word.
    """

    windows: int = Field(256, ge=1, le=10**6)
    reviews: int = Field(24, ge=0, le=10**6)
    held_out: int = Field(1000, ge=0, le=10**6)
    max_words: int = Field(40, ge=1, le=10**5)
    texts: tuple[Text, ...] = Field(min_length=1)


class TracedReviewsSpec(ReviewSourceSpec, frozen=True):
    """The reviews of the small classifier.

    Attributes:
        download: whether a missing archive is downloaded; otherwise the report has no texts.
    """

    download: bool = False


class TracedSeriesSpec(ParameterModel, frozen=True):
    """The series over which the pretrained networks are traced if `forecast` has left none.

    Attributes:
        source: the source of the series.
        window: the shape of the windows.
    """

    source: SourceSpec
    window: WindowSpec


class SmallClassifierSpec(ParameterModel, frozen=True):
    """The small classifier that is trained if `sentiment` has left none.

    Attributes:
        num_reviews: the largest number of labelled reviews, drawn at random from the source.
        max_length: the largest number of words of a review that a network reads.
        num_words: the number of word vectors.
        dimensions: the dimensions of a word vector.
        units: the width of the recurrent layer, in each direction.
    """

    num_reviews: int = Field(16_000, ge=20, le=10**7)
    max_length: int = Field(200, ge=1, le=10**5)
    num_words: int = Field(10_000, ge=2, le=10**7)
    dimensions: int = Field(32, ge=1, le=4096)
    units: int = Field(16, ge=1, le=4096)
    training: TrainingSpec
