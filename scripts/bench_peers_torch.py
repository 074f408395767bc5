"""PyTorch's side of scripts/bench-peers.

Arguments: a work (art, relu3_1, relu4_1), a side in pixels, a number of threads,
a memory format (nchw, nhwc), a precision (float32, autocast, bf16) and eager or
compile. For each line on standard input it runs the work once and prints the
seconds it took by the clock, the seconds of processor time of all its threads,
and the process's peak memory in bytes.
"""
import resource
import sys
import time

import torch
import torch.nn.functional as F

VGG19 = [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512]
STYLE = {"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}
CONTENT = "relu4_2"


def network(fmt, dtype):
    """VGG19 to relu5_1 with random weights: a list of (name, layer)."""
    layers, inputs, block, index = [], 3, 1, 1
    for out in VGG19:
        if out == "M":
            layers.append(("pool", torch.nn.MaxPool2d(2)))
            block, index = block + 1, 1
            continue
        conv = torch.nn.Conv2d(inputs, out, 3, padding=1).requires_grad_(False)
        torch.nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        layers.append(("conv", conv.to(dtype=dtype, memory_format=fmt)))
        layers.append((f"relu{block}_{index}", torch.nn.ReLU(inplace=True)))
        inputs, index = out, index + 1
    return layers


def gram(f):
    f = f.flatten(2)[0]
    return torch.mm(f, f.t()) / f.numel()


def squares(a, b):
    return F.mse_loss(a.float(), b.float(), reduction="sum")  # bf16 has no such loss in every version


def art(side, fmt, precision, compiled):
    """One iteration: forward, content and five Gram losses, TV, backward, Adam.

    The picture and its optimiser are float32 in every precision. Under autocast
    the weights are bf16 beforehand, because autocast would convert weights that
    need no gradient in every iteration.
    """
    half = torch.float32 if precision == "float32" else torch.bfloat16
    layers = network(fmt, half)
    cast = (lambda x: x.to(half)) if precision == "bf16" else (lambda x: x)
    autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "autocast")
    x = (torch.rand(1, 3, side, side) * 255 - 110).contiguous(memory_format=fmt).requires_grad_()
    targets = {}
    with torch.no_grad(), autocast:
        y = cast((torch.rand(1, 3, side, side) * 255 - 110).contiguous(memory_format=fmt))
        for name, layer in layers:
            y = layer(y)
            if name in STYLE:
                targets[name] = gram(y)
            elif name == CONTENT:
                targets[name] = y.clone()
    adam = torch.optim.Adam([x], lr=0.01)

    def losses(x):
        y, loss = cast(x), 0
        for name, layer in layers:
            y = layer(y)
            if name in STYLE:
                loss = loss + 1e3 * squares(gram(y), targets[name])
            elif name == CONTENT:
                loss = loss + 1e-3 * squares(y, targets[name])
        return loss + 1e-4 * ((x[:, :, 1:] - x[:, :, :-1]).square().sum() + (x[..., 1:] - x[..., :-1]).square().sum())

    if compiled:
        losses = torch.compile(losses)

    def run():
        with autocast:
            loss = losses(x)
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()

    return run


def matching(layer, side, fmt, precision, compiled):
    """Normalised style patches as the filters of a convolution, then argmax."""
    n, c = (side // 4, 256) if layer == "relu3_1" else (side // 8, 512)
    x = torch.rand(1, c, n, n).contiguous(memory_format=fmt)
    patches = F.unfold(torch.rand(1, c, n, n), 3).transpose(1, 2).reshape(-1, c, 3, 3)
    filters = (patches / patches.flatten(1).norm(dim=1)[:, None, None, None]).contiguous(memory_format=fmt)
    del patches
    if precision != "float32":  # autocast would convert both in every run
        x, filters = x.bfloat16(), filters.bfloat16()

    def match():
        return F.conv2d(x, filters).max(1)

    if compiled:
        match = torch.compile(match)

    def run():
        with torch.no_grad():
            return match()

    return run


def main():
    work, side, threads, layout, precision, compiled = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    fmt = torch.channels_last if layout == "nhwc" else torch.contiguous_format
    if work == "art":
        run = art(int(side), fmt, precision, compiled == "compile")
    else:
        run = matching(work, int(side), fmt, precision, compiled == "compile")
    run()
    for _ in sys.stdin:
        start, processor = time.perf_counter(), time.process_time()
        run()
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        print(seconds, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, flush=True)


main()
