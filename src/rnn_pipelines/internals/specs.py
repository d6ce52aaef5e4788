"""What is looked at inside the cells; free of Keras, so that parameters are checked before it loads."""

from typing import Annotated

from pydantic import Field

from rnn_pipelines.forecast.methods.specs import ForecastTrainingSpec
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.windows import WindowSpec
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.parameter_models import ParameterModel

Text = Annotated[str, Field(pattern=r"\w")]


class SampleSpec(ParameterModel, frozen=True):
    """What the networks are shown.

    Attributes:
        windows: test windows, evenly spread over the test part; fewer where there are fewer.
        reviews: test reviews, drawn at random; likewise.
        held_out: test reviews on which the accuracy of a classifier is measured, drawn at random; likewise.
        max_words: one more test review is shown word by word, the first one with at most so many words.
        texts: are shown word by word.
    """

    windows: int = Field(256, ge=1, le=10**6)
    reviews: int = Field(24, ge=0, le=10**6)
    held_out: int = Field(1000, ge=0, le=10**6)
    max_words: int = Field(40, ge=1, le=10**5)
    texts: tuple[Text, ...] = Field(min_length=1)


class SmallForecasterSpec(ParameterModel, frozen=True):
    """The forecasters that are trained where `forecast` has left none.

    Attributes:
        source: of the series.
        window: shape of the windows.
        units: width of the recurrent layer of each member.
        training: how.
    """

    source: SourceSpec
    window: WindowSpec
    units: int = Field(16, ge=1, le=1024)
    training: ForecastTrainingSpec


class SmallClassifierSpec(ParameterModel, frozen=True):
    """The classifier that is trained where `sentiment` has left none.

    Attributes:
        num_reviews: labelled reviews, drawn at random from the source; all where it has fewer.
        max_length: words of a review that a network reads.
        num_words: word vectors.
        dimensions: of a word vector.
        units: width of the recurrent layer, in each direction.
        training: how.
    """

    num_reviews: int = Field(16_000, ge=20, le=10**7)
    max_length: int = Field(200, ge=1, le=10**5)
    num_words: int = Field(10_000, ge=2, le=10**7)
    dimensions: int = Field(32, ge=1, le=4096)
    units: int = Field(16, ge=1, le=4096)
    training: TrainingSpec
