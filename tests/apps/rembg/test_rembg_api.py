"""rembg's Python interface. The tests named r1 to r12 are the defects and habits of docs/rembg.md."""

import inspect
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms

import cleancut.rembg as facade
from cleancut.apps.rembg import sessions as rembg_sessions
from cleancut.apps.rembg.sessions import CUSTOM, OF_SESSIONS
from cleancut.apps.scene import scene
from cleancut.errors import BadRecipe, BadSetting, CleancutError, DeviceFailed, NotDownloaded, UnknownModel
from cleancut.matting.predict import seen
from cleancut.models.registry import HERE, models, registry
from cleancut.models.runtime import Engine, Loaded, available, engine
from cleancut.raster.resample import Fit
from cleancut.rembg import new_session, remove
from cleancut.types import Picture
from tests.apps.rembg.stub import session
from tests.stubs import disc

HALF = 128 / 255
RGB = scene(96, 120).photo.rgb
WHITE = np.full((6, 8, 3), 255, np.uint8)
EMBEDDED = HERE / "embedded" / "cleancut-small.onnx"


def encoded(image, format="PNG", **more):
    stream = io.BytesIO()
    image.save(stream, format, **more)
    return stream.getvalue()


def opened(data):
    return Image.open(io.BytesIO(data))


def test_parameters_are_rembgs_in_name_order_and_default():
    found = [(p.name, p.default) for p in inspect.signature(remove).parameters.values() if p.default is not p.empty]
    assert found == [
        ("alpha_matting", False),
        ("alpha_matting_foreground_threshold", 240),
        ("alpha_matting_background_threshold", 10),
        ("alpha_matting_erode_size", 10),
        ("session", None),
        ("only_mask", False),
        ("post_process_mask", False),
        ("decontaminate", False),
        ("vitmatte", False),
        ("vitmatte_model", None),
        ("bgcolor", None),
        ("force_return_bytes", False),
    ]
    named = list(inspect.signature(new_session).parameters)
    assert named == ["model_name", "args", "sess_opts", "extras"]
    assert set(facade.__all__) == {"Session", "new_session", "remove"}


def test_what_comes_in_goes_out():
    given = session(disc())
    cut = remove(RGB, session=given)
    assert (cut.shape, cut.dtype) == ((120, 96, 4), np.uint8)
    image = remove(Image.fromarray(RGB), session=given)
    assert image.mode == "RGBA" and (np.asarray(image) == cut).all()
    data = remove(encoded(Image.fromarray(RGB)), session=given)
    assert opened(data).format == "PNG" and (np.asarray(opened(data)) == cut).all()


def test_the_mask_alone():
    given = session(disc())
    mask = remove(RGB, session=given, only_mask=True)
    assert mask.shape == (120, 96)
    assert (mask == remove(RGB, session=given)[..., 3]).all()
    assert remove(Image.fromarray(RGB), session=given, only_mask=True).mode == "L"
    assert opened(remove(encoded(Image.fromarray(RGB)), session=given, only_mask=True)).mode == "L"


def test_without_a_session_the_processs_engine_is_used():
    assert remove(RGB).shape == (120, 96, 4)
    assert new_session().engine is engine()
    assert new_session().engine.load("cleancut-small") is engine().load("cleancut-small")


def test_the_mask_is_enlarged_as_rembg_does():
    plane = np.random.default_rng(3).random((40, 40)).astype(np.float32)
    plane[10:20, 10:20], plane[20:30] = 1, 0
    plane = (plane - plane.min()) / (plane.max() - plane.min())
    theirs = Image.fromarray((plane * 255).astype(np.uint8)).resize((150, 110), Image.Resampling.LANCZOS)
    ours = remove(np.zeros((110, 150, 3), np.uint8), session=session(plane, like="u2netp"), only_mask=True)
    assert np.abs(ours.astype(int) - np.asarray(theirs)).max() <= 2


def test_r1_half_covered_white_stays_white():
    assert (remove(WHITE, session=session(HALF)) == (255, 255, 255, 128)).all()


def test_colours_of_soft_edges_are_the_sources():
    rgb = np.full((64, 64, 3), 90, np.uint8)
    rgb[:, 32:] = 200
    cut = remove(rgb, session=session(disc(radius=0.3)))
    soft = (cut[..., 3] > 0) & (cut[..., 3] < 255)
    assert soft.any()
    assert (cut[soft][:, :3] == rgb[soft]).all()


def test_r2_white_over_white_leaves_no_fringe():
    assert (remove(WHITE, session=session(HALF), bgcolor=(255, 255, 255, 255)) == 255).all()


def test_r5_bytes_are_forced_of_any_input():
    given = session(disc())
    for data in (RGB, Image.fromarray(RGB), encoded(Image.fromarray(RGB))):
        image = opened(remove(data, session=given, force_return_bytes=True))
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (96, 120))


def test_r6_deep_pictures_are_scaled_not_clipped():
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (20, 1))
    wanted = np.rint(ramp / 257).astype(int)
    for data in (ramp, Image.fromarray(ramp), encoded(Image.fromarray(ramp))):
        found = remove(data, session=session(), force_return_bytes=True)
        assert np.abs(np.asarray(opened(found))[..., 0].astype(int) - wanted).max() <= 1
    floats = remove(Image.fromarray(np.full((4, 4), 0.5, np.float32)), session=session())
    assert np.asarray(floats)[0, 0].tolist() == [128, 128, 128, 255]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_r7_alpha_of_its_own_is_multiplied(mode):
    image = Image.new("RGBA", (8, 6), (200, 200, 200, 128)).convert(mode)
    assert np.asarray(remove(image, session=session()))[0, 0].tolist() == [200, 200, 200, 128]
    assert (np.asarray(remove(image, session=session(HALF), only_mask=True)) == 64).all()


def test_r8_profile_and_resolution_stay():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(Image.fromarray(RGB), "JPEG", icc_profile=profile, dpi=(300, 300))
    for image in (opened(remove(data, session=session())), remove(opened(data), session=session())):
        assert image.info["icc_profile"] == profile
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    for more in ({"putalpha": True}, {"cc": None}):
        assert opened(remove(data, session=session(), **more)).info["icc_profile"] == profile
    assert "icc_profile" not in opened(remove(data, session=session(), only_mask=True)).info


def test_r9_a_processed_mask_is_hard():
    soft = np.clip(disc(radius=0.3) * 0.9 + 0.05, 0, 1)
    soft[4, 4] = 1  # a speck thinner than the cross
    mask = remove(np.zeros((200, 200, 3), np.uint8), session=session(soft), only_mask=True, post_process_mask=True)
    assert set(np.unique(mask)) == {0, 255}
    assert mask[100, 100] == 255 and mask[0, 0] == 0
    assert (remove(WHITE, session=session(soft), post_process_mask=True)[..., 3] % 255 == 0).all()


@pytest.mark.parametrize("format", ["GIF", "WEBP"])
def test_r10_the_first_frame_of_an_animation(format):
    frames = [Image.new("RGB", (20, 10), color) for color in ("red", "blue")]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:])
    result = opened(remove(data, session=session()))
    assert (result.format, getattr(result, "n_frames", 1)) == ("PNG", 1)
    assert np.abs(np.asarray(result)[5, 5].astype(int) - (255, 0, 0, 255)).max() <= 4


def test_r11_r12_rembgs_models_keep_their_habits():
    for name in ("u2net", "u2netp", "u2net_human_seg", "silueta", "isnet-general-use", "isnet-anime",
                 "birefnet-general", "birefnet-portrait", "bria-rmbg"):  # fmt: skip
        table = registry()[name]
        assert (table.input.scale, table.input.exact, table.output.stretch) == ("peak", True, True)


def test_r12_haze_is_stretched_and_shown():
    haze = disc() * 0.2
    assert remove(RGB, session=session(haze, like="u2netp"), only_mask=True).max() == 255
    assert 45 <= remove(RGB, session=session(haze), only_mask=True).max() <= 57


def test_rembgs_models_are_shown_the_values_as_they_are():
    fit = Fit.stretch((32, 32), (32, 32), "lanczos", True)
    picture = Picture(np.full((32, 32, 3), (90, 20, 50), np.uint8), profile=swapped())
    assert (seen(picture, fit, "stored") == (90, 20, 50)).all()
    assert np.abs(seen(picture, fit, "srgb").astype(int) - (20, 90, 50)).max() <= 2
    assert {model.input.color for model in models() if model.output.stretch} == {"stored"}


def swapped():
    """A profile whose red is sRGB's green, and the other way about."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.find(b"rXYZ"), profile.find(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def test_putalpha_keeps_what_lies_under_it():
    given = session(disc(radius=0.2))
    kept = remove(RGB, session=given, putalpha=True)
    assert (kept[..., :3] == RGB).all()
    assert (kept[..., 3] == remove(RGB, session=given, only_mask=True)).all()
    assert (remove(RGB, session=given)[0, 0] == 0).all()
    assert opened(remove(encoded(Image.fromarray(RGB)), session=given, putalpha=True)).mode == "RGBA"
    assert np.asarray(remove(Image.fromarray(RGB), session=given, putalpha=True))[0, 0, :3].any()


def test_a_background_may_be_translucent_or_nothing():
    nothing = remove(WHITE, session=session(0.0), bgcolor=(10, 20, 30, 100))
    assert (nothing == (10, 20, 30, 100)).all()
    assert (remove(WHITE, session=session(0.0), bgcolor=(10, 20, 30)) == (10, 20, 30, 255)).all()
    assert (remove(WHITE, session=session(0.0), bgcolor=(10, 20, 30, 0)) == 0).all()
    assert (remove(WHITE, session=session(HALF), bgcolor=[0, 0, 0, 255], only_mask=True) == 128).all()


@pytest.mark.parametrize("color", [(1, 2), (1, 2, 3, 256), (1.0, 2, 3, 4), "white", 7, (True, 0, 0, 0)])
def test_a_background_that_is_no_colour(color):
    with pytest.raises(BadSetting, match="bgcolor must be four whole numbers"):
        remove(WHITE, session=session(), bgcolor=color)


CLOTHES = np.stack([np.full((8, 8), level) for level in (0.2, 0.4, 0.6)])


def test_layers_come_one_below_the_other_and_the_network_is_asked_once():
    given = session(CLOTHES, ("upper", "lower", "full"))
    mask = remove(WHITE, session=given, only_mask=True)
    assert mask.shape == (18, 8)
    assert [int(level) for level in mask[::6, 0]] == [51, 102, 153]
    assert len(given.engine.asked) == 1
    assert opened(remove(encoded(Image.fromarray(WHITE)), session=given)).size == (8, 18)


@pytest.mark.parametrize(("cc", "level"), [("upper", 51), ("lower", 102), ("full", 153), ("attire", 153)])
def test_a_garment_is_chosen(cc, level):
    given = session(CLOTHES, ("upper", "lower", "full"))
    assert (remove(WHITE, session=given, only_mask=True, cc=cc) == level).all()
    assert (remove(WHITE, session=given, only_mask=True, cloth_category=cc) == level).all()


def test_a_garment_that_there_is_not():
    with pytest.raises(BadSetting, match="cc must be one of upper, lower, full, attire"):
        remove(WHITE, session=session(CLOTHES, ("upper", "lower", "full")), cc="hat")
    with pytest.raises(BadRecipe, match="has no layer 'upper'"):
        remove(WHITE, session=session(), cc="upper")


def test_what_comes_later_says_so():
    with pytest.raises(BadRecipe, match="sam_prompt.*comes with a later version of cleancut; leave it out"):
        remove(WHITE, session=session(), sam_prompt=[{"type": "point"}])


def soft_disc():
    """A photo of a disc and what a network makes of it: right, but soft."""
    right = disc(128, 0.3)
    photo = np.rint(right[..., None] * [200, 80, 40] + (1 - right[..., None]) * [30, 60, 90]).astype(np.uint8)
    y, x = (np.indices((64, 64)) + 0.5) / 64 - 0.5
    return photo, right, np.clip((0.3 - np.hypot(x, y)) * 6 + 0.5, 0, 1).astype(np.float32)


def test_alpha_matting_finds_the_edge():
    pytest.importorskip("scipy", reason="closed-form matting needs scipy")
    photo, right, seen = soft_disc()
    plain = remove(photo, session=session(seen))[..., 3] / 255
    refined = remove(photo, session=session(seen), alpha_matting=True, alpha_matting_erode_size=3)[..., 3] / 255
    assert np.abs(refined - right).mean() < 0.3 * np.abs(plain - right).mean()


def test_a_mask_alone_is_never_refined_by_alpha_matting():
    photo, _, seen = soft_disc()
    alone = remove(photo, session=session(seen), only_mask=True)
    assert (remove(photo, session=session(seen), only_mask=True, alpha_matting=True) == alone).all()


class Refining:
    """An engine with a second network, which is shown a trimap and answers what a test says."""

    def __init__(self, given, answer):
        self.given, self.answer, self.asked, self.here = given, answer, [], True

    def model(self, name):
        return registry()[name] if name.startswith("vitmatte") else self.given.engine.model(name)

    def load(self, name):
        if not name.startswith("vitmatte"):
            return self.given.engine.load(name)
        if not self.here:
            raise NotDownloaded("The weights are not here.")
        return Loaded(self.model(name), self._network, "stub", name)

    def _network(self, inputs):
        self.asked.append(inputs["image"])
        return {"alpha": self.answer(inputs["image"])}


def refined(seen, answer, **more):
    """Cut the photo of the soft disc with ViTMatte; give the result and the engine."""
    photo, *_ = soft_disc()
    given = session(seen)
    running = Refining(given, answer)
    return remove(photo, session=replace(given, engine=running), vitmatte=True, **more), running


def by_color(image):
    """Tell the disc of the photo by its red, from 30 to 200."""
    return np.clip((image[:, :1] * 255 - 30) / 170, 0, 1)


def test_vitmatte_refines_the_edge_and_its_colours():
    photo, right, seen = soft_disc()
    plain = remove(photo, session=session(seen))
    cut, running = refined(seen, by_color, alpha_matting_erode_size=3)
    assert np.abs(cut[..., 3] / 255 - right).mean() < 0.3 * np.abs(plain[..., 3] / 255 - right).mean()
    edge = (cut[..., 3] > 60) & (cut[..., 3] < 200)
    assert np.abs(cut[edge][:, :3].astype(float) - [200, 80, 40]).mean() < 15
    (image,) = running.asked
    assert image.shape == (1, 4, 1024, 1024)  # the whole picture, once, as rembg shows it
    assert np.unique(np.rint(image[0, 3] * 255)).tolist() == [0, 128, 255]


def test_vitmatte_goes_before_alpha_matting_and_leaves_masks_alone():
    _, _, seen = soft_disc()
    one, _ = refined(seen, by_color)
    both, _ = refined(seen, by_color, alpha_matting=True)
    assert (one == both).all()
    mask, running = refined(seen, by_color, only_mask=True)
    assert (mask == remove(soft_disc()[0], session=session(seen), only_mask=True)).all()
    assert not running.asked


@pytest.mark.parametrize("name", [None, "base-composition-1k"])
def test_weights_of_vitmatte_are_pulled_where_they_are_missing(monkeypatch, name):
    photo, _, seen = soft_disc()
    given = session(seen)
    running, pulled = Refining(given, by_color), []
    running.here = False

    def pull(model):
        pulled.append(model.name)
        running.here = True

    monkeypatch.setattr("cleancut.models.download.pull", pull)
    remove(photo, session=replace(given, engine=running), vitmatte=True, vitmatte_model=name)
    assert pulled == [f"vitmatte-{name or 'small-distinctions-646'}"]


def test_decontaminating_takes_the_background_out_of_soft_edges():
    photo, right, _ = soft_disc()
    given = {"session": session(right[::2, ::2])}
    plain, clean = remove(photo, **given), remove(photo, **given, decontaminate=True)
    edge = (plain[..., 3] > 60) & (plain[..., 3] < 200)
    off = [np.abs(rgba[edge][:, :3].astype(float) - [200, 80, 40]).mean() for rgba in (plain, clean)]
    assert off[1] < 0.4 * off[0]


@pytest.mark.parametrize("size", [0, -1, 2.5, "3"])
def test_an_erosion_that_is_none(size):
    with pytest.raises(BadSetting, match="alpha_matting_erode_size must be a whole number"):
        remove(WHITE, session=session(), alpha_matting=True, alpha_matting_erode_size=size)


def test_thresholds_alone_change_nothing():
    more = {
        "alpha_matting_foreground_threshold": 200,
        "alpha_matting_background_threshold": 1,
        "alpha_matting_erode_size": 3,
        "vitmatte_model": "base-composition-1k",
    }
    assert (remove(WHITE, session=session(HALF), **more) == remove(WHITE, session=session(HALF))).all()
    with pytest.raises(BadSetting, match="vitmatte_model must be one of small-distinctions-646"):
        remove(WHITE, session=session(), vitmatte_model="large")


def test_nothing_is_swallowed():
    with pytest.raises(BadSetting, match="There is no parameter 'onlymask' here; did you mean only_mask"):
        remove(WHITE, session=session(), onlymask=True)
    with pytest.raises(BadSetting, match="There is no parameter 'device' here"):
        new_session(device="cpu")
    with pytest.raises(BadSetting, match="too many arguments"):
        remove(WHITE, False, 240, 10, 10, session(), False, False, False, False, None, None, False, "more")
    with pytest.raises(BadSetting, match="too many arguments"):
        new_session("cleancut-small", 3)


def test_what_belongs_to_a_session_is_taken():
    known = dict.fromkeys(OF_SESSIONS)
    assert remove(WHITE, session=session(), **known).shape == (6, 8, 4)
    assert new_session("cleancut-small", **known).model == "cleancut-small"


@pytest.mark.parametrize("data", ["photo.jpg", None, 3, [1, 2]])
def test_what_is_no_picture_is_named(data):
    with pytest.raises(BadSetting, match="data must be the bytes of a picture"):
        remove(data, session=session())
    with pytest.raises(CleancutError):
        remove(b"no picture", session=session())


def test_a_session_of_another_package_is_refused():
    with pytest.raises(BadSetting, match=r"one of cleancut\.rembg\.new_session"):
        remove(WHITE, session=object())


def test_providers_become_devices():
    assert new_session(providers=["CPUExecutionProvider"]).engine.device == "cpu"
    assert new_session(providers=[("CPUExecutionProvider", {"arena": 1}), "more"]).engine.device == "cpu"
    assert new_session(providers=["cpu"]).engine.device == "cpu"
    assert remove(RGB, providers=["CPUExecutionProvider"]).shape == (120, 96, 4)
    with pytest.raises(BadSetting, match="providers must be a list"):
        new_session(providers="CPUExecutionProvider")


def test_a_provider_that_is_absent_is_an_error():
    absent = next(name for name in ("rocm", "directml", "coreml", "cuda") if name not in available())
    provider = rembg_sessions.DEVICES[absent]
    with pytest.raises(DeviceFailed, match=absent):
        new_session(providers=[provider, "CPUExecutionProvider"])
    with pytest.raises(DeviceFailed, match="no device 'MagicExecutionProvider'"):
        new_session(providers=["MagicExecutionProvider"])


class Options:
    intra_op_num_threads = 1


def test_threads_may_be_stated(monkeypatch):
    assert new_session(sess_opts=Options()).engine.threads == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert new_session(sess_opts=Options()).engine.threads == 1
    assert new_session().engine.threads == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    with pytest.raises(BadSetting, match="OMP_NUM_THREADS must be a number"):
        new_session()


@pytest.mark.parametrize("name", [name for name, like in CUSTOM.items() if like == "u2net"])
def test_a_file_of_ones_own_runs(name):
    given = new_session(name, model_path=str(EMBEDDED))
    assert given.model.startswith("file-")
    assert remove(RGB, session=given, only_mask=True).max() == 255


@pytest.mark.parametrize("name", CUSTOM)
def test_a_custom_model_needs_its_file(name):
    with pytest.raises(BadSetting, match=f"{name} needs model_path"):
        new_session(name)
    with pytest.raises(NotDownloaded, match=r"gone\.onnx"):
        new_session(name, model_path="gone.onnx")


def test_a_model_that_there_is_not_and_one_that_is_elsewhere():
    with pytest.raises(UnknownModel, match="u2netp"):
        new_session("u2netpp")
    with pytest.raises(BadSetting, match="sends pictures to a service"):
        new_session("atlascloud")


class Absent(Engine):
    """An engine whose weights come with the first pull."""

    here = False

    def load(self, name):
        if not self.here:
            raise NotDownloaded("not here")
        return name


def test_missing_weights_are_pulled_once(monkeypatch):
    absent, pulled = Absent(), []

    def pull(model):
        pulled.append(model.name)
        absent.here = True

    monkeypatch.setattr(rembg_sessions, "engine", lambda device: absent)
    monkeypatch.setattr("cleancut.models.download.pull", pull)
    said = []
    assert rembg_sessions.opened("u2net_human_seg", {}, say=said.append).model == "u2net_human_seg"
    assert new_session("u2net_human_seg").model == "u2net_human_seg"
    assert pulled == ["u2net_human_seg"]
    assert "downloading" in said[0]


def test_without_a_network_the_error_says_where_weights_belong(monkeypatch, tmp_path):
    monkeypatch.setenv("CLEANCUT_HOME", str(tmp_path))
    monkeypatch.setenv("CLEANCUT_OFFLINE", "1")
    with pytest.raises(CleancutError, match=r"u2net_human_seg\.onnx"):
        new_session("u2net_human_seg")


def test_a_licence_may_be_accepted_for_this_process(monkeypatch):
    accepted = []
    monkeypatch.setattr(rembg_sessions.licenses, "accept", lambda model, keep: accepted.append((model.name, keep)))
    absent = Absent()
    absent.here = True
    monkeypatch.setattr(rembg_sessions, "engine", lambda device: absent)
    new_session("bria-rmbg", accept_license=True)
    assert accepted == [("bria-rmbg", False)]
