"""Pictures as a viewer shows them, as bytes: rotated as their camera was, in plain RGB."""

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .folder import DataDamagedError
from .pixels import Pixels

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp"}


def read_images(places: Sequence[Any], size: int | None) -> Pixels:
    """Decode images to (N, 3, H, W) bytes.

    Parameters
    ----------
    places : sequence of Path or zipfile.Path
    size : int or None
        Height and width in pixels; see ``read_image``. ``None``: all must have one size.

    Raises
    ------
    DataDamagedError
        If one cannot be read, or the sizes differ.
    ImportError
        If Pillow is not installed.
    """
    pixels: Any = None
    for i, place in enumerate(places):
        values = np.asarray(read_image(place, size)).transpose(2, 0, 1)
        if pixels is None:
            pixels = np.empty((len(places), *values.shape), np.uint8)
        if values.shape != pixels.shape[1:]:
            raise DataDamagedError(
                f"{place}: expected {pixels.shape[3]}×{pixels.shape[2]} pixels as the first image "
                f"has, got {values.shape[2]}×{values.shape[1]}; 'size' makes all of one size"
            )
        pixels[i] = values
    return pixels


def read_image(place: Any, size: int | None = None) -> Any:
    """Return a picture of Pillow's in RGB, as a viewer shows it.

    Rotated as its EXIF says; 16 bits per pixel scaled to 8; CMYK, palettes and colour profiles as
    sRGB; what is transparent on white.

    Parameters
    ----------
    place : Path or zipfile.Path
    size : int, optional
        Height and width in pixels. A picture that is no square loses its longer sides' ends, in
        equal parts, and so keeps its proportions; then it is resized.

    Raises
    ------
    DataDamagedError
        If it cannot be read whole, is animated, has grey levels that no 16 bits hold, or more
        pixels than Pillow thinks safe (90 million).
    ImportError
        If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Pillow reads images: pip install 'nn_tutorial[pytorch]'") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with place.open("rb") as file:
                content = io.BytesIO(file.read())  # decoders ask for a few bytes at a time
            with Image.open(content) as image:
                picture = _shown(image)
    except Exception as error:  # on bytes that are no image decoders fail in many ways
        bomb = isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError)
        got = f"more than {Image.MAX_IMAGE_PIXELS:,} pixels" if bomb else error
        raise DataDamagedError(
            f"{place}: expected an image that can be read whole, got {got}. "
            "Remove it or copy it again."
        ) from error
    if size is not None and picture.size != (size, size):
        side = min(picture.size)
        left, top = ((length - side) // 2 for length in picture.size)
        picture = picture.crop((left, top, left + side, top + side))
        picture = picture.resize((size, size), Image.Resampling.BILINEAR)
    return picture


def _shown(image: Any) -> Any:
    from PIL import Image, ImageCms, ImageOps

    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a camera's JPEG with a preview in it
        raise ValueError(f"an animation of {frames} pictures")
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode[0] in "IF":  # more than 8 bits per pixel, which Pillow would cut off at 255
        levels = np.asarray(image)
        if image.mode == "F" or levels.min() < 0 or levels.max() > 0xFFFF:
            raise ValueError(f"levels from {levels.min()} to {levels.max()}, which no 16 bits hold")
        if image.has_transparency_data:
            raise ValueError("16 bits per pixel with a transparent level")
        image = Image.fromarray(np.rint(levels / 257).astype(np.uint8))
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK"):
        own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, own, srgb, outputMode="RGB")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")
