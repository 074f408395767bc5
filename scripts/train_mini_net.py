"""The two networks: VGG19 as teacher, the mini network as student, and the safetensors files they live in."""
import json
import struct

import numpy as np
import torch
import torch.nn.functional as F

MEAN = torch.tensor([123.68, 116.779, 103.939])[:, None, None]  # RGB, 0..255
INPUT_SCALE = 60.0  # the student trains on (RGB - mean) / 60; folded into conv1_1 when saved
VGG_BLOCKS, VGG_WIDTHS = (2, 2, 4, 4, 1), (64, 128, 256, 512, 512)
BLOCKS, WIDTHS = (2, 2, 2, 4, 1), (32, 64, 128, 144, 256)
# (student's layer, teacher's layer, weight). Adapters are 1x1 convolutions from the one to the other.
# Layers of the same name are what the losses of a painting look at, so they weigh most; the second layer of
# a block is also regressed so that the next block starts from what VGG19's next block starts from. 4_3 and 4_4 bring
# relu5_1 closer, which lies three convolutions beyond relu4_2.
TAPS = (("1_1", "1_1", 1.0), ("1_2", "1_2", 0.5), ("2_1", "2_1", 1.0), ("2_2", "2_2", 0.5), ("3_1", "3_1", 1.0),
        ("3_2", "3_4", 0.5), ("4_1", "4_1", 1.0), ("4_2", "4_2", 1.0),
        ("4_3", "4_3", 0.5), ("4_4", "4_4", 0.5), ("5_1", "5_1", 1.0))
# Losses of the first blocks are taken at every 8th, 4th and 2nd position: 1x1 adapters need no more.
STRIDE = {"1": 8, "2": 4, "3": 2}


def names(blocks):
    return [f"{b}_{i}" for b, n in enumerate(blocks, 1) for i in range(1, n + 1)]


def by_layer(widths):
    """The channels of each layer by name, from one number for each block or for each layer; None if it is neither."""
    layers = names(BLOCKS)
    if len(widths) == len(BLOCKS):
        return {n: widths[int(n[0]) - 1] for n in layers}
    return dict(zip(layers, widths)) if len(widths) == len(layers) else None


def read_safetensors(path):
    """The tensors of a file by name, float32, and its metadata."""
    with open(path, "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        header, data = json.loads(f.read(size)), f.read()
    meta, out = header.pop("__metadata__", {}), {}
    for name, t in header.items():
        lo, hi = t["data_offsets"]
        a = np.frombuffer(data[lo:hi], {"F16": np.float16, "F32": np.float32}[t["dtype"]]).reshape(t["shape"])
        out[name] = torch.from_numpy(a.astype(np.float32))
    return out, meta


def write_safetensors(path, tensors, meta):
    """Write float16 tensors, in the order given."""
    header, blobs, at = {"__metadata__": meta}, [], 0
    for name, t in tensors.items():
        b = t.detach().contiguous().numpy().astype(np.float16).tobytes()
        header[name] = {"dtype": "F16", "shape": list(t.shape), "data_offsets": [at, at + len(b)]}
        blobs.append(b)
        at += len(b)
    h = json.dumps(header).encode()
    h += b" " * (-len(h) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(h)) + h + b"".join(blobs))


def features(weights, x, blocks, pool, last):
    """The ReLU outputs by name ("4_2"), up to the last one asked for, of 3x3 convolutions, pool(x, 2) between blocks."""
    out = {}
    for b, n in enumerate(blocks, 1):
        for i in range(1, n + 1):
            k = f"conv{b}_{i}"
            w = weights[k + ".weight"]
            x = F.relu(F.conv2d(x.to(w.dtype), w, weights[k + ".bias"], padding=1))
            out[f"{b}_{i}"] = x
            if f"{b}_{i}" == last:
                return out
        x = pool(x, 2)
    return out


def student_features(weights, x, last="5_1"):
    """The mini network, of any edition: x is (RGB - MEAN) / INPUT_SCALE while it trains, (N, 3, H, W)."""
    blocks = [sum(f"conv{b}_{i}.bias" in weights for i in range(1, n + 1)) for b, n in enumerate(BLOCKS, 1)]
    return features(weights, x, blocks, F.avg_pool2d, last)


def teacher_features(weights, x, last="5_1"):
    """VGG19 as released, max pooling; x is RGB - MEAN. Each layer computes in the type of its weights."""
    with torch.no_grad():
        return features(weights, x, VGG_BLOCKS, F.max_pool2d, last)


def bfloat16(weights):
    """The weights in bfloat16, but for conv1_1's: pixels need more than eight bits."""
    return {k: v if k.startswith("conv1_1") else v.bfloat16() for k, v in weights.items()}


def channels_last(weights):
    """The weights in the layout in which two threads convolve fastest."""
    return {k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v for k, v in weights.items()}


def load_vgg(path):
    """VGG19 conv1_1..conv5_1 for RGB input minus MEAN; the file's conv1_1 takes BGR (as the Caffe release does)."""
    w, _ = read_safetensors(path)
    w["conv1_1.weight"] = w["conv1_1.weight"].flip(1).contiguous()
    return w


def narrowed(weights, widths, x):
    """The network without the channels that its widths have no room for: those of which the next layer sees least."""
    w = {k: v.detach() for k, v in weights.items()}
    with torch.no_grad():
        f = student_features(w, x)
    layers = list(f)
    for n, after in zip(layers, layers[1:] + [None]):
        c = widths[n]
        if len(w[f"conv{n}.bias"]) <= c:
            continue
        seen = (f[n] ** 2).mean(dim=(0, 2, 3)).sqrt()
        if after:
            seen = seen * w[f"conv{after}.weight"].flatten(2).norm(dim=(0, 2))
        kept = seen.argsort(descending=True)[:c].sort().values
        w[f"conv{n}.weight"], w[f"conv{n}.bias"] = w[f"conv{n}.weight"][kept], w[f"conv{n}.bias"][kept]
        if after:
            w[f"conv{after}.weight"] = w[f"conv{after}.weight"][:, kept]
    return w


def init_student(x, seed, widths, weights):
    """Random weights, scaled layer by layer so that pre-activations of x have unit variance and no mean.

    Given the weights of another network, {} for none, its filters come first in each layer, scaled alike, and what reads a
    channel that it lacked, or that never fires, starts at zero: the network computes what the other did. A layer that the
    other lacked passes on what it is given.
    """
    if weights and widths:
        weights = narrowed(weights, widths, x)
    if not widths:
        widths = by_layer(WIDTHS)
        for n in widths if weights else ():
            widths[n] = len(weights.get(f"conv{n}.bias", weights[f"conv{n[0]}_1.bias"]))
    g, w, cin, scale, alive = torch.Generator().manual_seed(seed), {}, 3, torch.ones(3), torch.ones(3, dtype=torch.bool)
    for b, n in enumerate(BLOCKS, 1):
        for i in range(1, n + 1):
            k, c = f"conv{b}_{i}", widths[f"{b}_{i}"]
            v, bias = torch.zeros(c, cin, 3, 3), torch.zeros(c)
            if weights and k + ".bias" not in weights:
                kept = read = min(c, cin)
                v[range(kept), range(kept), 1, 1] = 1
            elif weights:
                old = weights[k + ".weight"].detach()
                kept, read = old.shape[:2]
                v[:kept, :read], bias[:kept] = old, weights[k + ".bias"].detach()
            else:
                kept, read = 0, cin
            v[:kept] *= (alive / scale)[None, :, None, None]
            fires = F.conv2d(x, v, bias, padding=1).amax(dim=(0, 2, 3)) > 0
            fires[kept:] = False
            v[~fires] = torch.randn(int((~fires).sum()), cin, 3, 3, generator=g)
            z = F.conv2d(x, v, padding=1)
            sd, mu = z.std(dim=(0, 2, 3)), z.mean(dim=(0, 2, 3))
            bias[~fires] = -mu[~fires]
            w[k + ".weight"], w[k + ".bias"] = v / sd[:, None, None, None], bias / sd
            x = F.relu(F.conv2d(x, w[k + ".weight"], w[k + ".bias"], padding=1))
            cin, scale, alive = c, 1 / sd, fires if weights else torch.ones(c, dtype=torch.bool)
        x = F.avg_pool2d(x, 2)
    return {k: v.requires_grad_() for k, v in w.items()}


def load_student(path):
    """Weights saved by an earlier run, back at the scale of training."""
    w, _ = read_safetensors(path)
    w["conv1_1.weight"] *= INPUT_SCALE
    return {k: v.requires_grad_() for k, v in w.items()}


class Regression:
    """Least squares from C features and a constant to K features, over any number of batches (N, C, H, W), (N, K, H, W)."""

    def __init__(self):
        self.xx = self.xy = 0

    def add(self, x, y):
        x = x.detach().transpose(0, 1).flatten(1).double()
        x = torch.cat([x, torch.ones_like(x[:1])])
        self.xx, self.xy = self.xx + x @ x.t(), self.xy + x @ y.transpose(0, 1).flatten(1).double().t()

    def solve(self):
        """The 1x1 convolution: weight (K, C, 1, 1) and bias (K), with a touch of ridge for dead channels."""
        ridge = 1e-4 * torch.diag(self.xx.diagonal().clamp(min=1e-6))
        w = torch.linalg.solve(self.xx + ridge, self.xy).t().float()
        return w[:, :-1, None, None].contiguous(), w[:, -1].contiguous()


def folded(weights, adapters, x):
    """The student for input RGB - MEAN, its channels scaled by what they are worth.

    A painting's losses compare the student's channels as they stand, so each is scaled by the norm of its column of
    the adapter: how much of VGG19 hangs on it. (Scaling every channel to mean 1 instead makes rare channels huge, and
    Gram matrices of them paint noise.) Each layer's mean activation over x, (RGB - MEAN) / INPUT_SCALE, is then 1.
    Layers beyond the last adapter keep their scale.
    ReLU and average pooling are homogeneous: scaling channel c by s and the next filters' input c by 1 / s is exact.
    """
    w = {k: v.detach().clone() for k, v in weights.items()}
    w["conv1_1.weight"] /= INPUT_SCALE
    with torch.no_grad():
        f = student_features(weights, x)
    before = torch.ones(3)
    for i, n in enumerate(names(BLOCKS)):
        k = f"conv{n}"
        s = torch.ones(len(w[k + ".bias"]))
        if i < len(adapters):
            worth = adapters[i][0].detach()[:, :, 0, 0].norm(dim=0)
            worth = worth.clamp(min=0.02 * float(worth.mean()))
            s = worth / float((worth * f[n].mean(dim=(0, 2, 3))).mean())
        w[k + ".weight"] /= before[None, :, None, None]
        w[k + ".weight"] *= s[:, None, None, None]
        w[k + ".bias"] *= s
        before = s
    return w
