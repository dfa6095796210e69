import pytest

pytest.importorskip("torch", reason="training needs PyTorch")
pytest.importorskip("onnx", reason="the export needs onnx")


def test_the_whole_road(tmp_path, monkeypatch):
    from training.smoke import smoke

    assert 0 < smoke(tmp_path) < 1
    assert (tmp_path / "cleancut-smoke.onnx").stat().st_size < 8e6
    log = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert len(log) == 3  # two validations, and one more after it went on
