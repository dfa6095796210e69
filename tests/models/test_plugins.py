"""The example plug-in of tests/plugin, and broken ones, as installed packages are found: by their metadata."""

import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from cleancut.errors import BadTable, UnknownModel
from cleancut.matting import plugins as effect_plugins
from cleancut.matting.effects import effects
from cleancut.matting.recipe import make, schema
from cleancut.models.registry import registry

EXAMPLE = Path(__file__).parent.parent / "plugin"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs packages: `installed(name, {group: {entry: value}}, {file: text})`."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(effects, "_entries", dict(effects._entries))
    before = set(sys.modules)
    forget = (registry.cache_clear, effect_plugins.load_effects.cache_clear)
    for clear in forget:
        clear()

    def install(name, points, sources=EXAMPLE / "src"):
        folder = tmp_path / name
        about = folder / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [
            f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in entries.items()) for group, entries in points.items()
        ]
        (about / "entry_points.txt").write_text("\n".join(lines))
        if isinstance(sources, dict):
            for file, text in sources.items():
                (folder / file).write_text(text)
        else:
            monkeypatch.syspath_prepend(str(sources))
        monkeypatch.syspath_prepend(str(folder))

    yield install
    for module in set(sys.modules) - before:
        if not module.startswith(("cleancut.", "importlib", "email")):
            del sys.modules[module]
    for clear in forget:
        clear()


def example(install):
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    install(project["name"], project["entry-points"])


def test_a_plugin_brings_a_model(installed):
    example(installed)
    model = registry()["example-net"]
    assert (model.license, model.input) == ("MIT", registry()["u2netp"].input)
    assert "example-net" in list(registry())


def test_a_plugin_brings_an_effect(installed):
    import cleancut
    from tests.stubs import disc, loading

    example(installed)
    recipe = make(effects=["fade:amount=0.25"], refine="none")
    photo = cleancut.Picture(np.full((64, 64, 3), 200, np.uint8))
    cutout = cleancut.cut(photo, recipe, load=loading(disc()))
    assert abs(cutout.alpha.max() - 0.75) < 1e-6
    assert "fade" in {
        entry["properties"]["name"]["const"] for entry in schema()["properties"]["effects"]["items"]["oneOf"]
    }


def test_our_own_models_ask_no_plugin(installed):
    installed("broken", {"cleancut.models": {"x": "nowhere"}}, {})
    assert registry()["u2net"].name == "u2net"
    with pytest.raises(BadTable, match="plug-in x of broken"):
        registry()["something-else"]


def test_without_plugins_an_unknown_name_is_unknown(installed):
    with pytest.raises(UnknownModel):
        registry()["example-net"]


TABLE = '[same]\nlike = "u2net"\n'
CODE = "from pathlib import Path\nTABLES = Path(__file__).with_name('{0}.toml')\ndef tables(): return TABLES\n"


def test_two_plugins_with_one_name_are_an_error(installed):
    for name in ("first", "second"):
        points = {"cleancut.models": {"nets": f"{name}_code:tables"}}
        installed(name, points, {f"{name}_code.py": CODE.format(name), f"{name}.toml": TABLE})
    said = "two models same, in the plug-in nets of first and in the plug-in nets of second"
    with pytest.raises(BadTable, match=said):
        list(registry())


def test_a_plugin_takes_no_name_of_ours(installed):
    points = {"cleancut.models": {"nets": "bold_code:TABLES"}}
    installed(
        "bold", points, {"bold_code.py": CODE.format("bold"), "bold.toml": '[x]\nlike="u2net"\naliases=["rmbg-2.0"]'}
    )
    with pytest.raises(
        BadTable, match="two models rmbg-2.0, in cleancut's models.toml and in the plug-in nets of bold"
    ):
        list(registry())


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "cannot be loaded: AttributeError"),
        ("raise SystemError('broken')", "cannot be loaded: SystemError: broken"),
        ("tables = 7", "must give the path of a models.toml, not int"),
        ("def tables(): return 1 / 0", "cannot be asked: ZeroDivisionError"),
        ("tables = '/nowhere/models.toml'", "the plug-in nets of odd is not a file"),
    ],
)
def test_a_broken_plugin_names_itself(installed, code, said):
    installed("odd", {"cleancut.models": {"nets": "odd_code:tables"}}, {"odd_code.py": code})
    with pytest.raises(BadTable, match="lug-in nets of odd") as caught:
        list(registry())
    assert said in str(caught.value)


EFFECT = """
from cleancut.matting.cutout import Cutout
from cleancut.matting.effects import effects

@effects
def {name}(cut: Cutout) -> Cutout:
    "Do nothing."
    return cut
"""


def test_an_effect_takes_no_name_of_ours(installed):
    installed("loud", {"cleancut.effects": {"x": "loud_effects"}}, {"loud_effects.py": EFFECT.format(name="blur")})
    ours = effects["blur"].function
    with pytest.raises(BadTable, match=r"two effects blur, in cleancut\.matting\.effects and in loud_effects; rename"):
        make(effects=["blur"])
    assert effects["blur"].function is ours


def test_two_plugins_with_one_effect_are_an_error(installed):
    for name in ("one", "two"):
        code = {f"{name}_effects.py": EFFECT.format(name="glow")}
        installed(name, {"cleancut.effects": {"x": f"{name}_effects"}}, code)
    with pytest.raises(BadTable, match="two effects glow, in one_effects and in two_effects"):
        make(effects=["glow"])


def test_a_recipe_without_effects_asks_no_plugin(installed):
    installed("broken", {"cleancut.effects": {"x": "nowhere"}}, {})
    make(refine="none")
    with pytest.raises(BadTable, match="plug-in x of broken cannot be loaded"):
        make(effects=["blur"])
