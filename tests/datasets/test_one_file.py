"""What data sets of one file share."""

from pathlib import Path

from rnn_pipelines.datasets import StrictJSONDataset


def test_data_sets_that_save_at_once_do_not_end_each_others_writes(tmp_path: Path) -> None:
    first, second = (StrictJSONDataset(filepath=str(tmp_path / name)) for name in ("first.json", "second.json"))
    with first._open_to_write() as file:
        second.save({"mse": 1})
        assert [path.name for path in tmp_path.glob("*.json")] == ["second.json"]
        file.write(b"{}")
    assert first.load() == {}
