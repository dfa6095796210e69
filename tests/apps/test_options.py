from dataclasses import fields

import click

from cleancut.apps.options import limit_options, recipe_options, stated
from cleancut.limits import Limits
from cleancut.types import Recipe


def command():
    return click.command()(recipe_options(limit_options(lambda **given: given)))


def flags():
    return {option.name: option for option in command().params}


def test_every_field_of_the_recipe_and_every_limit_is_a_flag():
    assert set(flags()) == {f.name for f in fields(Recipe)} | {f.name for f in fields(Limits)} | {"preset"}


def test_flags_are_read_off_the_fields():
    found = flags()
    assert found["model"].opts == ["-m", "--model"]
    assert found["effects"].opts == ["-e", "--effect"] and found["effects"].multiple
    assert list(found["show"].type.choices) == ["cutout", "alpha", "foreground", "trimap"]
    assert (found["quality"].type.min, found["quality"].type.max) == (1, 100)
    assert (found["provenance"].opts, found["provenance"].secondary_opts) == (
        ["--provenance"],
        ["--no-provenance"],
    )
    assert found["keep_metadata"].secondary_opts == []


def test_only_what_was_said_reaches_the_recipe():
    given = command().main(["--quality", "9", "-e", "blur"], standalone_mode=False)
    assert stated(given) == {"quality": 9, "effects": ("blur",)}
