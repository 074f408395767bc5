"""Pick one unpacked package's pictures: train_mini_photos.py PACKAGE ROOT OUT. Called by train-mini-photos."""
import io
import os
import re
import struct
import sys

from PIL import Image

Image.MAX_IMAGE_PIXELS = None
SHORT, LEAST = 720, 240  # longest short side kept, shortest accepted (pixels)
# Paintings used to judge the network must not have been seen in training; the others are masks, diagrams or logos.
SKIP = re.compile(r"starry|_sem|screenshot|no-logo|/html/|/text/|digits|sudoku|normals|segmented|chessboard|mask|/sway/|"
                  r"lang\.rcc|babyshapes|left\d|right\d|symbolic|vnc-|depth|/shape/|disp|_gt|images_dark|1080x1920|720x1440|1622x2880")


def candidates(root):
    """Yield (name, bytes) of every picture under root, those inside Qt resource files included."""
    for folder, dirs, files in os.walk(root):
        dirs.sort()
        for f in sorted(files):
            path = os.path.join(folder, f)
            if os.path.islink(path) or SKIP.search(path):
                continue
            if f.lower().endswith((".jpg", ".jpeg", ".png", ".webp")):
                name = f
                if "/contents/" in path:  # Plasma: NAME/contents/images/WIDTHxHEIGHT.ext
                    name = path.split("/contents/")[0].split("/")[-1]
                yield os.path.splitext(name)[0], open(path, "rb").read()
            elif f.endswith(".rcc"):
                # A Qt resource file holds each file whole behind its length, 32 bits, big-endian.
                data = open(path, "rb").read()
                for m in re.finditer(rb"RIFF....WEBP|\xff\xd8\xff[\xe0\xe1]", data, re.S):
                    size, = struct.unpack(">I", data[m.start() - 4:m.start()])
                    if 1000 < size < len(data) - m.start():
                        yield f"{f[:-4]}-{m.start():07d}", data[m.start():m.start() + size]


def main(package, root, out):
    kept = 0
    for name, data in candidates(root):
        try:
            im = Image.open(io.BytesIO(data))
            if min(im.size) < LEAST:
                continue
            im.draft("RGB", (2 * SHORT, 2 * SHORT))
            im = im.convert("RGBA")
        except Exception:  # damaged or no picture at all
            continue
        page = Image.new("RGBA", im.size, (128, 128, 128, 255))
        page.alpha_composite(im)
        im = page.convert("RGB")
        scale = SHORT / min(im.size)
        if scale < 1:
            im = im.resize((round(im.width * scale), round(im.height * scale)), Image.LANCZOS)
        im.save(os.path.join(out, f"{package}--{re.sub(r'[^A-Za-z0-9._-]', '_', name)}.jpg"), quality=92)
        kept += 1
    print(f"{package}: {kept} pictures")


main(*sys.argv[1:])
