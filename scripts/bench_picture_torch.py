"""PyTorch's side of scripts/bench-picture: neural-style's losses and L-BFGS.

Arguments: weights (safetensors, BGR), content, style, output, iterations, threads.
The losses are those of neural-style (Johnson, 2015): content 5 at relu4_2, style
100 at each of five layers, total variation 1e-3, maximum pooling, white at 256,
noise to begin with, L-BFGS with a history of 100 and without a line search.
"""
import json
import struct
import sys

import torch
import torch.nn.functional as F
from PIL import Image

BLOCKS = [2, 2, 4, 4, 1]
STYLE = {"conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"}
CONTENT = "conv4_2"
MEAN = torch.tensor([103.939, 116.779, 123.68]).reshape(1, 3, 1, 1)
TYPES = {"F16": torch.float16, "F32": torch.float32}


def weights(path):
    """The tensors of a safetensors file, in float32."""
    data = bytearray(open(path, "rb").read())
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, t in json.loads(data[8:8 + size]).items():
        if name != "__metadata__":
            start, end = t["data_offsets"]
            values = torch.frombuffer(data[8 + size + start:8 + size + end], dtype=TYPES[t["dtype"]])
            tensors[name] = values.float().reshape(t["shape"])
    return tensors


def read(path):
    image = Image.open(path).convert("RGB")
    rgb = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).reshape(1, image.height, image.width, 3)
    return rgb.permute(0, 3, 1, 2).flip(1).contiguous().float() * (256 / 255) - MEAN


def write(path, x):
    rgb = ((x + MEAN) * (255 / 256)).clamp(0, 255).round().flip(1).permute(0, 2, 3, 1)[0].byte()
    Image.frombytes("RGB", (rgb.shape[1], rgb.shape[0]), rgb.numpy().tobytes()).save(path)


def features(net, x):
    """Yields (name, activation) of each convolution after ReLU."""
    for block, layers in enumerate(BLOCKS, 1):
        if block > 1:
            x = F.max_pool2d(x, 2, ceil_mode=True)
        for layer in range(1, layers + 1):
            name = f"conv{block}_{layer}"
            x = F.relu(F.conv2d(x, net[name + ".weight"], net[name + ".bias"], padding=1))
            yield name, x


def gram(f):
    f = f.flatten(2)[0]
    return torch.mm(f, f.t()) / f.numel()


def main():
    path, content, style, output, iterations, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    net = weights(path)
    photo = read(content)
    with torch.no_grad():
        targets = {name: gram(f) for name, f in features(net, read(style)) if name in STYLE}
        targets |= {name: f.clone() for name, f in features(net, photo) if name == CONTENT}
    x = (torch.randn_like(photo) * 1e-3).requires_grad_()
    optimizer = torch.optim.LBFGS([x], max_iter=int(iterations), history_size=100, tolerance_grad=-1, tolerance_change=-1)

    def closure():
        optimizer.zero_grad(set_to_none=True)
        loss = 0.5e-3 * ((x[:, :, 1:] - x[:, :, :-1]).square().sum() + (x[..., 1:] - x[..., :-1]).square().sum())
        for name, f in features(net, x):
            if name in STYLE:
                loss = loss + 100 * F.mse_loss(gram(f), targets[name])
            elif name == CONTENT:
                loss = loss + 5 * F.mse_loss(f, targets[name])
        loss.backward()
        return loss

    optimizer.step(closure)
    write(output, x.detach())


main()
