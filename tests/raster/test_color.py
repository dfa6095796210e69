import io

import numpy as np
import pytest
from PIL import ImageCms

from cleancut.errors import NotAPicture
from cleancut.raster.color import from_linear, rows_to_srgb, srgb_transform, strip_to_srgb, to_linear
from cleancut.raster.rows import Rows
from tests.matting.drawn import SRGB_D50, noise, profile


def test_light_and_back_is_where_one_came_from():
    assert (from_linear(to_linear()) == np.arange(256)).all()


def test_light_is_that_of_the_standard():
    table = to_linear()
    assert table[0] == 0
    assert table[255] == 1
    assert table[128] == pytest.approx(0.2158605, abs=1e-6)
    assert table[10] == pytest.approx(10 / 255 / 12.92, abs=1e-7)


def test_light_outside_the_range_is_clipped():
    assert from_linear(np.array([-0.5, 1.5], np.float32)).tolist() == [0, 255]


def test_rounding_is_to_the_nearest_level_everywhere():
    light = np.linspace(0, 1, 200_001, dtype=np.float32)
    exact = 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light.astype(np.float64) ** (1 / 2.4) - 0.055)
    assert np.abs(from_linear(light) - exact).max() < 0.53


def test_a_linear_profile_is_encoded():
    rgb = noise()
    found = rows_to_srgb(Rows.of(rgb), profile(gamma=1.0)).whole()
    truth = from_linear(rgb.astype(np.float32) / 255)
    assert np.abs(found.astype(int) - truth).max() <= 1


def test_other_primaries_are_converted():
    swapped = profile((SRGB_D50[1], SRGB_D50[0], SRGB_D50[2]), gamma=2.2)
    rgb = np.zeros((2, 3, 3), np.uint8)
    rgb[..., 0] = 255
    found = rows_to_srgb(Rows.of(rgb), swapped).whole()
    assert np.abs(found.astype(int) - (0, 255, 0)).max() <= 2


def test_srgb_stays_as_it_is():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgb = noise()
    assert np.abs(strip_to_srgb(srgb)(rgb).astype(int) - rgb).max() <= 1
    rows = Rows.of(rgb)
    assert rows_to_srgb(rows, None) is rows


def test_a_strip_is_what_the_whole_is():
    rgb, convert = noise(), strip_to_srgb(profile(gamma=1.8))
    assert (convert(rgb[10:20, 5:30]) == convert(rgb)[10:20, 5:30]).all()


def test_grey_and_cmyk_are_transformed_by_their_own_mode():
    with pytest.raises(NotAPicture, match="colour profile"):
        srgb_transform(profile(), "CMYK")


def test_a_profile_that_cannot_be_read_says_what_to_do():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for wrong in (b"", b"not a profile", profile()[:100], lab):
        with pytest.raises(NotAPicture, match="save it without the profile"):
            srgb_transform(wrong)


def test_the_profile_made_here_is_one_that_pillow_reads():
    assert ImageCms.getProfileName(ImageCms.ImageCmsProfile(io.BytesIO(profile()))).strip() == "test"
