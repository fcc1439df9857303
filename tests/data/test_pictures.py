"""Pictures as a viewer shows them, or refused by name."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

import nn_tutorial as nt
from nn_tutorial.data.pictures import read_image, read_images

Make = Callable[[Path], Any]
ORIENTATION = 0x112


def pixel(path: Path, at: tuple[int, int] = (0, 0)) -> tuple[int, ...]:
    return read_image(path).getpixel(at)


def grey16(path: Path) -> None:
    levels = np.array([[0, 257 * 100, 0xFFFF]], np.uint16)
    Image.fromarray(levels).save(path)


@pytest.mark.parametrize("suffix", [".png", ".ppm"])
def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"grey{suffix}"
    grey16(path)
    assert [pixel(path, (i, 0)) for i in range(3)] == [(0,) * 3, (100,) * 3, (255,) * 3]


def test_sixteen_bits_a_colour(tmp_path: Path) -> None:
    """Pillow cannot write such a PNG: here are its chunks."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data)
        )  # fmt: skip

    head = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    row = b"\0" + struct.pack(">HHH", 257 * 200, 257 * 10, 0xFFFF)
    path = tmp_path / "colours.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(row))
        + chunk(b"IEND", b"")
    )
    assert pixel(path) == (200, 10, 255)


def test_cmyk(tmp_path: Path) -> None:
    path = tmp_path / "ink.jpg"
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(path, quality=100)
    np.testing.assert_allclose(pixel(path), (255, 0, 0), atol=4)


def test_palette_and_one_bit(tmp_path: Path) -> None:
    image = Image.new("P", (1, 1), 3)
    image.putpalette([0] * 9 + [10, 200, 30])
    image.save(tmp_path / "palette.png")
    assert pixel(tmp_path / "palette.png") == (10, 200, 30)
    Image.new("1", (1, 1), 1).save(tmp_path / "bit.png")
    assert pixel(tmp_path / "bit.png") == (255,) * 3


@pytest.mark.parametrize(
    ("mode", "colour", "shown"),
    [
        ("RGBA", (200, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (200, 0, 0, 255), (200, 0, 0)),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
        ("LA", (0, 0), (255, 255, 255)),
    ],
)
def test_what_is_transparent_is_on_white(
    tmp_path: Path, mode: str, colour: tuple[int, ...], shown: tuple[int, ...]
) -> None:
    path = tmp_path / "glass.png"
    Image.new(mode, (1, 1), colour).save(path)
    assert pixel(path) == shown


def test_transparent_entry_of_a_palette(tmp_path: Path) -> None:
    image = Image.new("P", (1, 1), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "palette.png", transparency=1)
    assert pixel(tmp_path / "palette.png") == (255, 255, 255)


@pytest.mark.parametrize("suffix", [".jpg", ".JPG", ".png", ".webp"])
@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, (0, 0)), (3, (15, 7)), (6, (7, 0)), (8, (0, 15))]
)
def test_turned_as_the_camera_was(
    tmp_path: Path, suffix: str, orientation: int, corner: tuple[int, int]
) -> None:
    """The upper left corner of the file is white: where it comes to is known for each number."""
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:4, :4] = 255
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / f"photo{suffix}"
    Image.fromarray(pixels).save(path, exif=exif, quality=100)
    image = read_image(path)
    assert image.size == ((16, 8) if orientation in (1, 3) else (8, 16))
    assert min(image.getpixel(corner)) > 200
    assert max(image.getpixel((image.width // 2, image.height // 2))) < 60


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_colour_profile_is_applied(tmp_path: Path, mode: str) -> None:
    """The profile has sRGB's red where blue belongs, and the other way round."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for tag in (b"XYZ", b"TRC"):
        profile = profile.replace(b"r" + tag, b"?" + tag)
        profile = profile.replace(b"b" + tag, b"r" + tag).replace(b"?" + tag, b"b" + tag)
    path = tmp_path / "profile.png"
    if mode == "RGB":
        Image.new("RGB", (1, 1), (200, 100, 50)).save(path, icc_profile=profile)
        np.testing.assert_allclose(pixel(path), (50, 100, 200), atol=2)
    else:  # one that is not of ink
        path = path.with_suffix(".jpg")
        Image.new("CMYK", (8, 8)).save(path, icc_profile=profile)
        with pytest.raises(nt.DataDamagedError, match="profile"):
            read_image(path)


def animated(path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue", "green")]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def truncated(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, format=Image.registered_extensions()[path.suffix.lower()])
    path.write_bytes(file.getvalue()[: len(file.getvalue()) // 2])


def sixteen_and_transparent(path: Path) -> None:
    Image.fromarray(np.zeros((2, 2), np.uint16)).save(path, transparency=0)


def test_preview_in_a_cameras_file_is_no_animation(tmp_path: Path) -> None:
    """Phones write a JPEG with more than one picture in it, of which viewers show the first."""
    path = tmp_path / "phone.jpg"
    first, preview = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (4, 4), "blue")
    first.save(path, format="MPO", save_all=True, append_images=[preview], quality=100)
    with Image.open(path) as image:
        assert image.n_frames == 2
    np.testing.assert_allclose(pixel(path), (255, 0, 0), atol=4)


def floats(path: Path) -> None:
    Image.fromarray(np.full((2, 2), 0.5, np.float32)).save(path, format="TIFF")


def gigantic(path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(path)


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a.png", animated, "an animation of 3 pictures"),
        ("a.webp", animated, "an animation of 3 pictures"),
        ("a.jpg", truncated, "truncated"),
        ("a.JPG", truncated, "truncated"),
        ("a.png", truncated, "expected an image that can be read whole"),
        ("a.webp", truncated, "expected an image that can be read whole"),
        ("a.bmp", floats, "which no 16 bits hold"),
        ("a.png", sixteen_and_transparent, "a transparent level"),
        ("a.png", gigantic, "more than 89,478,485 pixels"),
        ("a.png", Path.touch, "cannot identify"),
        ("a.png", lambda path: None, "No such file"),
    ],
)
def test_others_are_refused_by_name(tmp_path: Path, name: str, make: Make, message: str) -> None:
    make(tmp_path / name)
    with pytest.raises(nt.DataDamagedError, match=message) as caught:
        read_image(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_size_sets_height_and_width_and_keeps_the_middle(tmp_path: Path) -> None:
    """A third of each end of a 3:1 picture goes: the middle is green."""
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, :10, 0] = pixels[:, 10:20, 1] = pixels[:, 20:, 2] = 255
    path, turned = tmp_path / "wide.png", tmp_path / "high.png"
    Image.fromarray(pixels).save(path)
    Image.fromarray(pixels.transpose(1, 0, 2)).save(turned)
    for size in (10, 4, 16):
        x = read_images([path, turned], size)
        assert x.shape == (2, 3, size, size)
        np.testing.assert_array_equal(x[:, 1], 255)
        np.testing.assert_array_equal(x[:, [0, 2]], 0)
