"""PyTorch's side of scripts/bench-peers.

Arguments: a work (art, relu3_1, relu4_1), a side in pixels, a number of threads
and a memory format (nchw, nhwc). For each line on standard input it runs the
work once and prints the seconds it took and the process's peak memory in bytes.
"""
import resource
import sys
import time

import torch
import torch.nn.functional as F

VGG19 = [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512]
STYLE = {"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}
CONTENT = "relu4_2"


def network(fmt):
    """VGG19 to relu5_1 with random weights: a list of (name, layer)."""
    layers, inputs, block, index = [], 3, 1, 1
    for out in VGG19:
        if out == "M":
            layers.append(("pool", torch.nn.MaxPool2d(2)))
            block, index = block + 1, 1
            continue
        conv = torch.nn.Conv2d(inputs, out, 3, padding=1).requires_grad_(False).to(memory_format=fmt)
        torch.nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        layers.append(("conv", conv))
        layers.append((f"relu{block}_{index}", torch.nn.ReLU(inplace=True)))
        inputs, index = out, index + 1
    return layers


def gram(f):
    f = f.flatten(2)[0]
    return torch.mm(f, f.t()) / f.numel()


def art(side, fmt):
    """One iteration: forward, content and five Gram losses, TV, backward, Adam."""
    layers = network(fmt)
    x = (torch.rand(1, 3, side, side) * 255 - 110).contiguous(memory_format=fmt).requires_grad_()
    targets = {}
    with torch.no_grad():
        y = (torch.rand(1, 3, side, side) * 255 - 110).contiguous(memory_format=fmt)
        for name, layer in layers:
            y = layer(y)
            if name in STYLE:
                targets[name] = gram(y)
            elif name == CONTENT:
                targets[name] = y.clone()
    adam = torch.optim.Adam([x], lr=0.01)

    def run():
        y, loss = x, 0
        for name, layer in layers:
            y = layer(y)
            if name in STYLE:
                loss = loss + 1e3 * F.mse_loss(gram(y), targets[name], reduction="sum")
            elif name == CONTENT:
                loss = loss + 1e-3 * F.mse_loss(y, targets[name], reduction="sum")
        loss = loss + 1e-4 * ((x[:, :, 1:] - x[:, :, :-1]).square().sum() + (x[..., 1:] - x[..., :-1]).square().sum())
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()

    return run


def matching(layer, side, fmt):
    """Normalised style patches as the filters of a convolution, then argmax."""
    n, c = (side // 4, 256) if layer == "relu3_1" else (side // 8, 512)
    x = torch.rand(1, c, n, n).contiguous(memory_format=fmt)
    patches = F.unfold(torch.rand(1, c, n, n), 3).transpose(1, 2).reshape(-1, c, 3, 3)
    filters = (patches / patches.flatten(1).norm(dim=1)[:, None, None, None]).contiguous(memory_format=fmt)
    del patches

    def run():
        with torch.no_grad():
            return F.conv2d(x, filters).max(1)

    return run


def main():
    work, side, threads, fmt = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    memory = torch.channels_last if fmt == "nhwc" else torch.contiguous_format
    run = art(side, memory) if work == "art" else matching(work, side, memory)
    run()
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        seconds = time.perf_counter() - start
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, flush=True)


main()
