"""Exercises of lesson 12: numbers left out, numbers with fewer bits, and which one to take."""

from transfer_lib.practice import Wrong, array, call, close, exercise


@exercise(
    "12.prune",
    hints=[
        "All matrices share one threshold: put the absolute values of all of them into one tensor "
        "and look for the value below which `share` of them lie.",
        "`torch.cat([w.abs().flatten() for w in weights])`, then `torch.quantile(all, share)`.",
        "A mask is `w.abs() > threshold`, one for each matrix.",
    ],
)
def prune(answer):
    """Return masks that drop the smallest weights of all matrices together."""
    import torch

    torch.manual_seed(4)
    weights = [torch.randn(6, 5), 0.2 * torch.randn(4, 5), 2 * torch.randn(10, 3)]
    share = 0.4
    masks = call(answer, [w.clone() for w in weights], share)
    if not isinstance(masks, list | tuple) or len(masks) != 3:
        raise Wrong("Return a list of masks, one for each matrix.")
    masks = [array(mask, "a mask") for mask in masks]
    for mask, w in zip(masks, weights, strict=True):
        if mask.shape != tuple(w.shape):
            raise Wrong(
                f"A mask has the shape of its matrix, {tuple(w.shape)}; yours {mask.shape}."
            )
        if not set(mask.ravel().tolist()) <= {0, 1}:
            raise Wrong("These are pruned weights. Return masks: True, or 1, for what stays.")
    kept = [mask.astype(bool) for mask in masks]

    def masked(keep):
        return all((mask == keep(w).numpy()).all() for mask, w in zip(kept, weights, strict=True))

    everything = torch.cat([w.flatten() for w in weights])
    threshold = torch.quantile(everything.abs(), share)
    total = sum(mask.mean() * mask.size for mask in kept) / len(everything)
    if masked(lambda w: w.abs() > threshold):
        return "The small ones go, wherever they are: one matrix loses more than another."
    table = [
        (lambda w: w.abs() <= threshold, "These masks keep the small ones and drop the large."),
        (lambda w: w.abs() > torch.quantile(w.abs(), share), "Each matrix has lost the same share. "
         "One threshold for all lets a matrix of small weights lose more."),
        (lambda w: w > torch.quantile(everything, share), "A weight of −3 matters as much as one "
         "of 3: compare absolute values."),
        (lambda w: w.abs() > torch.quantile(everything.abs(), 1 - share), "`share` is what is "
         "dropped. These masks drop the rest."),
        (lambda w: w.abs() > share, "`share` is a share of the weights, not a threshold."),
    ]  # fmt: skip
    for keep, words in table:
        if masked(keep):
            raise Wrong(words)
    raise Wrong(f"{1 - total:.0%} of the weights are dropped by your masks; 40 % should be.")


@exercise(
    "12.quantise",
    hints=[
        "An int8 holds whole numbers from −128 to 127. The largest weight of a row shall become "
        "127: `scale = w.abs().amax(dim=1, keepdim=True) / 127`.",
        "`torch.round(w / scale)` are whole numbers, still as floats; `.to(torch.int8)` stores "
        "each in one byte.",
        "Return both, the bytes and the scale: `q * scale` is nearly w again.",
    ],
)
def quantise(answer):
    """Return a matrix as int8 and one scale for each row."""
    import torch

    torch.manual_seed(5)
    w = torch.randn(5, 40) * torch.tensor([[1.0], [0.01], [3.0], [0.2], [50.0]])
    answered = call(answer, w.clone())
    if not isinstance(answered, tuple | list) or len(answered) != 2:
        raise Wrong("Return two tensors: the int8 matrix, and the scales.")
    q, scale = answered
    if not isinstance(q, torch.Tensor):
        raise Wrong("The first is a tensor of the type torch.int8.")
    if q.dtype != torch.int8:
        raise Wrong(f"The matrix should be torch.int8, one byte a number; yours is {q.dtype}.")
    if q.shape != w.shape:
        raise Wrong(f"Expected the shape {tuple(w.shape)}; yours is {tuple(q.shape)}.")
    scale = torch.as_tensor(array(scale, "the scales"), dtype=torch.float32)
    if scale.numel() == 1:
        raise Wrong(
            "One scale for the whole matrix: the row with small weights has become zeros. Take one "
            "for each row."
        )
    if scale.shape == (5,):
        scale = scale[:, None]
    if scale.shape != (5, 1):
        raise Wrong(f"Expected one scale for each row, (5, 1); yours has {tuple(scale.shape)}.")
    largest = w.abs().amax(dim=1, keepdim=True)
    if close(scale, 127 / largest, 1e-3):
        raise Wrong("This is 127 / largest. Return what q has to be multiplied by.")
    steps = (w - q * scale).abs() / scale
    if float(steps.max()) > 20:
        raise Wrong(
            "Some weights come back with the wrong sign: they were larger than an int8 can hold. "
            "The largest of a row is 127 times the scale."
        )
    if close(scale, w.amax(dim=1, keepdim=True) / 127, 1e-3):
        raise Wrong("The scale is made of the largest weight. Take the largest absolute value.")
    if float(steps.max()) > 0.51:
        raise Wrong("Cut off instead of rounded: the error is up to a whole step. `torch.round`.")
    if not close(scale, largest / 127, 1e-3) and not close(scale, largest / 127.5, 1e-3):
        raise Wrong(
            "No error, but a coarse one: the largest weight of a row should become 127, so that "
            f"all 8 bits are used. Yours becomes {int(q.abs().max())}."
        )
    q, scale = call(answer, torch.zeros(2, 3))
    if float(torch.as_tensor(array(scale, "the scales")).min()) <= 0 or q.any():
        raise Wrong("For a row of zeros the scale is 0, and 0 / 0 is not a number.")
    return "A quarter of the bytes, and no weight is wrong by more than half a step."


LIMITS = {"doorbell": ("MB", 5), "phone": ("MB", 70), "server": ("MB of 20 tasks", 200)}


@exercise(
    "12.decide",
    hints=[
        "For each device, cross out the rows that break its limit. Which of the others has the "
        "highest accuracy?",
        "Twenty tasks: a copy of the network for each, or one network and twenty small files?",
        "The check's feedback names the limit that a choice breaks.",
    ],
)
def decide(answer, table):
    """Name a row of the table for each of three devices."""
    if not isinstance(answer, dict) or set(answer) != set(LIMITS):
        raise Wrong(f"A dict with the keys {', '.join(LIMITS)}, and a row of the table for each.")
    told = []
    for device, (column, most) in LIMITS.items():
        name = answer[device]
        if not isinstance(name, str) or name not in table.index:
            raise Wrong(f"{device}: {name!r} is no row of the table: {'; '.join(table.index)}.")
        size = table.loc[name, column]
        what = "MB for 20 tasks" if "20" in column else "MB"
        if size > most:
            raise Wrong(f"{device}: {name} takes {size:.0f} {what}, and {most} are allowed.")
        fits = table[table[column] <= most]["accuracy"]
        behind = fits.max() - fits[name]
        if behind > 2:
            raise Wrong(
                f"{device}: {name} fits, but {fits.idxmax()} does, too, and is {behind:.0f} points "
                "better."
            )
        told.append(f"{device}: {name}")
    return "Within the limits, and not beaten by more than 2 points. " + "; ".join(told) + "."
