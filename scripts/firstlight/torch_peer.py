"""PyTorch's side of first light: one iteration of neural art, as bench.Art has it.

    torch_peer.py FORM SIDE DEVICE

FORM is fp32 (TF32 off), default, amp (channels last, float16 autocast with a
scaled loss) or graph (amp in a CUDA graph). For each line on standard input it
runs one iteration and prints the seconds it took and the most memory so far, in
bytes. The network has random weights, which take the same time.
"""
import sys
import time

import torch
import torch.nn.functional as F

VGG19 = [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512]
STYLE = {"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}
CONTENT = "relu4_2"
SCALE = 2.0**10  # of the loss, so that gradients in float16 do not vanish


def network(device, memory):
    """VGG19 to relu5_1 with random weights: a list of (name, layer)."""
    layers, inputs, block, index = [], 3, 1, 1
    for out in VGG19:
        if out == "M":
            layers.append(("pool", torch.nn.MaxPool2d(2)))
            block, index = block + 1, 1
            continue
        conv = torch.nn.Conv2d(inputs, out, 3, padding=1).requires_grad_(False)
        torch.nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        layers.append(("conv", conv.to(device=device, memory_format=memory)))
        layers.append((f"relu{block}_{index}", torch.nn.ReLU(inplace=True)))
        inputs, index = out, index + 1
    return layers


def gram(f):
    f = f.flatten(2)[0]
    return torch.mm(f, f.t()).float() / f.numel()


def iteration(side, device, half, capturable):
    memory = torch.channels_last if half else torch.contiguous_format
    layers = network(device, memory)

    def picture():
        x = torch.rand(1, 3, side, side, device=device) * 255 - 110
        return x.contiguous(memory_format=memory)

    def autocast():
        # The processor has bfloat16 for what a GPU does in float16.
        kind = torch.float16 if device == "cuda" else torch.bfloat16
        return torch.autocast(device, dtype=kind, enabled=half)

    x = picture().requires_grad_()
    targets = {}
    with torch.no_grad(), autocast():
        y = picture()
        for name, layer in layers:
            y = layer(y)
            if name in STYLE:
                targets[name] = gram(y)
            elif name == CONTENT:
                targets[name] = y.clone()
    options = {"capturable": True} if capturable else {}
    adam = torch.optim.Adam([x], lr=0.01, **options)

    def run():
        loss = 0
        with autocast():
            y = x
            for name, layer in layers:
                y = layer(y)
                if name in STYLE:
                    loss = loss + 1e3 * F.mse_loss(gram(y), targets[name], reduction="sum")
                elif name == CONTENT:
                    loss = loss + 1e-3 * F.mse_loss(y.float(), targets[name].float(), reduction="sum")
        loss = loss + 1e-4 * ((x[:, :, 1:] - x[:, :, :-1]).square().sum() + (x[..., 1:] - x[..., :-1]).square().sum())
        if x.grad is not None:
            x.grad.zero_()
        (loss * SCALE if half else loss).backward()
        if half:
            x.grad.div_(SCALE)
        adam.step()

    return run


def captured(run):
    """The same as one launch of a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def main():
    form, side, device = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    torch.manual_seed(1)
    if form == "fp32":
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = form != "default"
    half = form in ("amp", "graph")
    run = iteration(side, device, half, form == "graph" and device == "cuda")
    if form == "graph":
        if device != "cuda":
            sys.exit("a CUDA graph needs a GPU")
        run = captured(run)
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        memory = 0
        if device == "cuda":
            torch.cuda.synchronize()
            memory = torch.cuda.max_memory_reserved()
        print(time.perf_counter() - start, memory, flush=True)


main()
