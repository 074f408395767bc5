"""Crops for the mini network: photographs, synthetic textures, and the damage an optimised picture shows on its way."""
import glob
import os
import zlib

import numpy as np
from PIL import Image

CROP = 112  # pixels; 7 x 7 positions at block 5


def held_out(name):
    """One picture in twelve is never trained on. By name, so that every run agrees."""
    return zlib.crc32(name.encode()) % 12 == 0


def paths(folder, held=False):
    """The names of a folder's pictures, either the trained-on ones or the held-out ones."""
    return [path for path in sorted(glob.glob(os.path.join(folder, "*")))
            if path.lower().endswith((".jpg", ".jpeg", ".png")) and held_out(os.path.basename(path)) == held]


def load(folder, held=False):
    """The pictures of a folder that are at least CROP pixels high and wide."""
    pictures = [Image.open(path).convert("RGB") for path in paths(folder, held)]
    return [im for im in pictures if min(im.size) >= CROP]


def photo_crop(rng, pictures, n=CROP):
    """A square of a random picture, at a scale between its own pixels and the whole picture, as (n, n, 3)."""
    im = pictures[rng.integers(len(pictures))]
    side = int(np.exp(rng.uniform(np.log(n), np.log(min(im.size) + 1))))
    x, y = rng.integers(im.width - side + 1), rng.integers(im.height - side + 1)
    a = np.asarray(im.resize((n, n), Image.BICUBIC, box=(x, y, x + side, y + side)), np.float32)
    if rng.random() < 0.5:
        a = a[:, ::-1]
    if rng.random() < 0.2:
        a = a[::-1]
    if rng.random() < 0.25:
        a = a[:, :, rng.permutation(3)]
    if rng.random() < 0.3:  # contrast and brightness
        a = (a - 128) * rng.uniform(0.6, 1.6) + 128 + rng.uniform(-40, 40)
    return a


def texture_crop(rng, n=CROP):
    """Noise of a random power spectrum, bars or patches, in two or three random colours."""
    fy, fx = np.fft.fftfreq(n)[:, None], np.fft.rfftfreq(n)[None]
    turn, squash = rng.uniform(0, np.pi), np.exp(rng.uniform(0, 2.5))  # anisotropy: strokes rather than clouds
    u, v = fx * np.cos(turn) + fy * np.sin(turn), (fy * np.cos(turn) - fx * np.sin(turn)) * squash
    power = (np.hypot(u, v) + 1.0 / n) ** -rng.uniform(0.6, 2.2)
    field = [np.fft.irfft2(power * np.fft.rfft2(rng.standard_normal((n, n))), (n, n)) for _ in range(2)]
    field = [(f - f.mean()) / f.std() for f in field]
    kind = rng.integers(3)
    if kind == 1:
        field[0] = np.sin(field[0] * rng.uniform(2, 10)) * 1.5  # bands
    elif kind == 2:
        field = [np.round(f * rng.uniform(0.7, 2)) for f in field]  # flat patches with sharp edges
    colours = rng.uniform(0, 255, (3, 3))
    mix = np.stack([1 / (1 + np.exp(-2 * f)) for f in field], -1)
    a = colours[0] + mix[..., :1] * (colours[1] - colours[0])
    return (a + mix[..., 1:] * (colours[2] - a)).astype(np.float32)


def painting_crop(rng, paintings, n=CROP):
    """A square of a random painting at its own pixels: what an optimiser does to single pixels is to be seen."""
    im = paintings[rng.integers(len(paintings))]
    x, y = rng.integers(im.width - n + 1), rng.integers(im.height - n + 1)
    a = np.asarray(im.crop((x, y, x + n, y + n)), np.float32)
    if rng.random() < 0.5:
        a = a[:, ::-1]
    return a[:, :, rng.permutation(3)] if rng.random() < 0.25 else a


def crop(rng, pictures, paintings=(), n=CROP):
    """One training crop (3, n, n), RGB 0..255: of a painting (one in three, if there are any), clean, or noisy."""
    if paintings and rng.random() < 1 / 3:
        return np.ascontiguousarray(painting_crop(rng, paintings, n).transpose(2, 0, 1), np.float32)
    a = texture_crop(rng, n) if rng.random() < 0.1 else photo_crop(rng, pictures, n)
    r = rng.random()
    if r < 0.2:
        a = a + rng.standard_normal(a.shape) * np.exp(rng.uniform(np.log(2), np.log(50)))
    elif r < 0.3:  # grey noise, stronger on one side
        a = a + rng.standard_normal((n, n, 1)) * np.linspace(0, rng.uniform(10, 60), n)[:, None]
    return np.ascontiguousarray(np.clip(a, -20, 275).transpose(2, 0, 1), np.float32)
