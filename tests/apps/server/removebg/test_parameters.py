import base64

import pytest

from cleancut.apps.server.form import File, Form
from cleancut.apps.server.removebg.errors import CODES, OURS, told
from cleancut.apps.server.removebg.parameters import FORMATS, SIZES, TYPES, Asked, Length, asked
from cleancut.apps.server.removebg.sources import background, source
from cleancut.errors import BadCall, BadInput


def form(**fields):
    return Form(tuple(fields.items()))


def refused(**fields):
    with pytest.raises(BadCall) as caught:
        asked(form(**fields))
    return caught.value.code


def test_what_is_left_out_is_at_its_default():
    assert asked(Form()) == Asked()
    assert asked(Form()).size == "preview"


def test_empty_fields_count_as_absent():
    names = ("size", "type_level", "roi", "crop", "crop_margin", "scale", "position", "add_shadow", "bg_color")
    assert asked(form(**dict.fromkeys(names, ""))) == Asked()
    assert asked(form(**dict.fromkeys(names, "  "))) == Asked()


def test_unknown_fields_are_ignored():
    assert asked(form(shadow_method="legacy", utm_source="x")) == Asked()


@pytest.mark.parametrize("size", [*SIZES, "50MP", "Full"])
def test_every_size_is_taken(size):
    assert asked(form(size=size)).size == size.lower()


@pytest.mark.parametrize("type", TYPES)
def test_every_type_is_taken(type):
    assert asked(form(type=type)).type == type


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_taken(format):
    assert asked(form(format=format)).format == format


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", "huge"),
        ("type", "ghost"),
        ("type_level", "3"),
        ("format", "gif"),
        ("roi", "0 0 100%"),
        ("roi", "a b c d"),
        ("roi", "-1px 0 10px 10px"),
        ("roi", "0 0 1e9px 10px"),
        ("crop", "perhaps"),
        ("crop_margin", "1 2 3"),
        ("crop_margin", "10em"),
        ("crop_margin", "51%"),
        ("crop_margin", "501px"),
        ("crop_margin", "true"),
        ("scale", "9%"),
        ("scale", "101%"),
        ("scale", "50"),
        ("position", "left"),
        ("position", "10% 20% 30%"),
        ("position", "101%"),
        ("position", "10px"),
        ("channels", "rgb"),
        ("add_shadow", "2"),
        ("shadow_type", "long"),
        ("shadow_opacity", "101"),
        ("semitransparency", "glass"),
        ("bg_color", "nocolour"),
        ("bg_color", "#12345"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_own_code(name, value):
    assert refused(**{name: value}) == f"invalid_{name}"


@pytest.mark.parametrize("name", ["crop", "size", "roi"])
def test_json_that_is_no_scalar_is_refused(name):
    with pytest.raises(BadCall) as caught:
        asked(Form(json={name: [1]}))
    assert caught.value.code == f"invalid_{name}"


def test_a_field_that_is_given_twice_is_refused():
    with pytest.raises(BadInput, match="2 times"):
        asked(Form((("size", "full"), ("size", "hd"))))


def test_a_region_may_have_units_or_none():
    mixed = asked(form(roi="0 10px 100% 90%")).roi
    assert mixed == (Length(0, "px"), Length(10, "px"), Length(100, "%"), Length(90, "%"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10%", "10% 10% 10% 10%"), ("1px 2px", "1px 2px 1px 2px"), ("1 2 3 4", "1px 2px 3px 4px"), ("500", "500px " * 4)],
)
def test_margins_are_one_two_or_four(text, expected):
    assert asked(form(crop_margin=text)).crop_margin == asked(form(crop_margin=expected.strip())).crop_margin


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({}, None),
        ({"position": "original"}, None),
        ({"position": "center"}, (0.5, 0.5)),
        ({"position": "20%"}, (0.2, 0.2)),
        ({"position": "0% 100%"}, (0, 1)),
        ({"scale": "50%"}, (0.5, 0.5)),
        ({"scale": "50%", "position": "original"}, None),
        ({"scale": "original"}, None),
    ],
)
def test_a_scale_implies_the_centre(fields, place):
    assert asked(form(**fields)).place == place


@pytest.mark.parametrize("text", ["81d4fa", "#81d4fa", "#81D4FA", "fff", "ffff", "81d4faff", "white"])
def test_colours_are_hex_with_or_without_sign_or_a_name(text):
    assert asked(form(bg_color=text)).color.startswith("#")


def test_a_colour_that_does_not_show_is_none():
    assert asked(form(bg_color="ffffff00")).color is None


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, None),
        ({"add_shadow": "true"}, "contact"),
        ({"shadow_type": "drop"}, "drop"),
        ({"shadow_type": "3D"}, "contact"),
        ({"add_shadow": "true", "shadow_type": "none"}, None),
        ({"add_shadow": "false", "shadow_type": "car"}, "contact"),
    ],
)
def test_the_kind_of_shadow_goes_before_the_switch(fields, kind):
    assert asked(form(**fields)).shadow == kind


def test_the_opacity_of_a_shadow_is_in_percent():
    assert asked(form(shadow_opacity="30")).shadow_opacity == 0.3
    assert asked(form(shadow_opacity="auto")).shadow_opacity == Asked().shadow_opacity


def test_booleans_and_numbers_of_json_are_read():
    # as form.py gives them: true, 1 and null
    given = Form(
        (("crop", "true"), ("type_level", "1"), ("roi", "")), json={"crop": True, "type_level": 1, "roi": None}
    )
    assert asked(given) == Asked(crop=True)


def files(*names):
    return Form(files=tuple(File(name, "a.jpg", "", b"data") for name in names))


def test_a_source_comes_in_three_ways():
    assert source(files("image_file")).data == b"data"
    assert source(form(image_file_b64=base64.b64encode(b"data").decode())).data == b"data"
    assert source(form(image_url="https://example.com/a.jpg")).url == "https://example.com/a.jpg"


def test_a_data_url_is_base64_too():
    assert source(form(image_file_b64="data:image/png;base64,aGk=")).data == b"hi"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (Form(), "missing_source"),
        (Form(files=(File("image_file", "", "", b""),)), "missing_source"),
        (Form(raw=b"picture"), "missing_source"),
        (files("image_file", "image_file"), "multiple_sources"),
        (Form((("image_url", "https://example.com"),), files=files("image_file").files), "multiple_sources"),
        (form(image_url="ftp://example.com/a.jpg"), "invalid_image_url"),
        (form(image_url="http://[::1"), "invalid_image_url"),
        (form(image_url="photo.jpg"), "invalid_image_url"),
        (form(image_file_b64="§"), "invalid_image_file_b64"),
        (Form(json={"image_url": ["https://example.com"]}), "invalid_image_url"),
    ],
)
def test_a_source_is_one_and_whole(given, code):
    with pytest.raises(BadCall) as caught:
        source(given)
    assert caught.value.code == code


def test_a_background_is_one():
    assert background(Form(), None) is None
    assert background(files("bg_image_file"), None).data == b"data"
    for given, color in (
        (files("bg_image_file"), "#ffffff"),
        (Form((("bg_image_url", "https://example.com"),), files=files("bg_image_file").files), None),
    ):
        with pytest.raises(BadCall) as caught:
            background(given, color)
        assert caught.value.code == "multiple_bg_sources"


def test_the_address_of_a_background_is_one():
    with pytest.raises(BadCall) as caught:
        background(form(bg_image_url="file:///etc/passwd"), None)
    assert caught.value.code == "invalid_bg_image_url"


def test_every_parameter_has_a_code():
    named = {f"invalid_{name}" for name in Asked.__dataclass_fields__}
    assert named <= {*CODES, *OURS}


def test_every_code_is_answered_with_a_title():
    for code in (*CODES, *OURS):
        words = told(BadCall("Title", code)).body["errors"][0]
        assert words == {"title": "Title", "code": code}
