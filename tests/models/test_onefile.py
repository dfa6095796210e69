import pytest

from cleancut.models.onefile import is_whole
from cleancut.models.registry import HERE
from tests.models import protobuf as onnx
from tests.models.protobuf import attribute, external, field, graph, model, node, tensor

ELSEWHERE = external("w", (1,), "secret.bin")
CONSTANT = node("Constant", [], ["c"], [attribute("value", t=ELSEWHERE)])


def sparse(values):
    return field(1, values) + field(3, 4)


@pytest.mark.parametrize(
    "data",
    [
        model(graph([], [], [], [ELSEWHERE])),
        model(graph([CONSTANT], [], [])),
        model(graph([node("If", ["a"], ["b"], [attribute("then_branch", g=graph([CONSTANT], [], []))])], [], [])),
        model(field(15, sparse(ELSEWHERE))),
        model(graph([], [], [])) + field(7, graph([CONSTANT], [], [])),
        model(graph([], [], [])) + field(25, field(7, CONSTANT)),
        model(graph([], [], [])) + field(20, field(1, graph([CONSTANT], [], []))),
        model(graph([], [], [], [field(8, "w") + field(13, field(1, "location") + field(2, "a"))])),
    ],
    ids=["initializer", "constant", "branch", "sparse", "second graph", "function", "training", "unmarked"],
)
def test_a_tensor_elsewhere_is_found_wherever_it_is(data):
    assert not is_whole(data)


def test_a_name_is_no_tensor_elsewhere():
    assert is_whole(model(graph([node("Relu", ["location"], ["y"])], [], [], [tensor("location", [1])])))


def test_our_own_graphs_are_whole():
    for path in (HERE / "embedded").glob("*.onnx"):
        assert is_whole(path.read_bytes())


@pytest.mark.parametrize("cut", range(5, 60, 6))
def test_a_truncated_graph_ends_too_early_or_is_whole(cut):
    data = onnx.like_u2netp([onnx.MEAN], [ELSEWHERE])
    try:
        is_whole(data[: -len(ELSEWHERE)][:cut] + b"location")
    except ValueError as error:
        assert str(error)


def test_nesting_has_an_end():
    inner = graph([CONSTANT], [], [])
    for _ in range(60):
        inner = graph([node("If", ["a"], ["b"], [attribute("then_branch", g=inner)])], [], [])
    with pytest.raises(ValueError, match="nested too deeply"):
        is_whole(model(inner))
