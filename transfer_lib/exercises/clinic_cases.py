"""The cases of the clinic: what owners say, the broken functions, and the mended ones."""

HEALTHY = {
    "load": '''
def load():
    """Return 100 scans and their labels, and 901 scans to test: values 0 to 16."""
    x, y, x_test, y_test = digits("digits")
    rows = draw(y, 10)
    return x[rows], y[rows], x_test, y_test
''',
    "prepare": '''
def prepare(x, x_test):
    """Scale as in pretraining."""
    return x / 16, x_test / 16
''',
    "build": '''
def build():
    """Return the network that reads print, with a new head."""
    model = pretrained()
    model.head = nn.Linear(64, 10)
    return model
''',
    "optimiser": '''
def optimiser(model):
    """Train the new head faster than the body."""
    groups = [
        {"params": model.body.parameters(), "lr": 1e-3},
        {"params": model.head.parameters(), "lr": 1e-2},
    ]
    return torch.optim.Adam(groups)
''',
    "step": '''
def step(model, optimizer, x, y, i):
    """Train on one random batch; return the loss."""
    model.train()
    rows = torch.randperm(len(x))[:32]
    loss = F.cross_entropy(model(x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss
''',
}

FROZEN = '''
def build():
    """Return the network that reads print, frozen, with a new head."""
    model = pretrained()
    model.requires_grad_(False)
    model.head = nn.Linear(64, 10)
    return model
'''
HEAD_ALONE = '''
def optimiser(model):
    """Train the head; the body is frozen."""
    return torch.optim.Adam(model.head.parameters(), 1e-2)
'''


EVALUATING = HEALTHY["step"].replace("model.train()", "model.eval()")
HEAD_ONLY = {"build": FROZEN, "optimiser": HEAD_ALONE, "step": EVALUATING}


def _with(name, old, new):
    text = HEALTHY[name]
    if text.count(old) != 1:
        raise ValueError(f"{old!r} stands {text.count(old)} times in {name}")
    return {name: text.replace(old, new)}


CASES = [
    {
        "cause": "softmax twice",
        "ill": lambda p: p.last_loss() > 1.2,
        "complaint": "It learns, but slowly, and the loss stays far above zero however long I "
        "train. PyTorch's cross-entropy wants probabilities, I was told.",
        "broken": _with("step", "model(x[rows])", "model(x[rows]).softmax(dim=1)"),
        "mended": {"step": HEALTHY["step"]},
    },
    {
        "cause": "wrong preprocessing",
        "complaint": "The pretrained body, frozen, is no better than an untrained one. The scans "
        "come as whole numbers and go in as they are.",
        "broken": {**HEAD_ONLY, **_with("prepare", "x / 16, x_test / 16", "x, x_test")},
        "mended": {"prepare": HEALTHY["prepare"]},
        "ill": lambda p: p.inputs()["training"][2] > 2,
    },
    {
        "cause": "test prepared otherwise",
        "ill": lambda p: abs(p.inputs()["test"][2] - p.inputs()["training"][2]) > 1,
        "complaint": "Perfect in training, poor in the test. I have tried dropout, weight decay "
        "and fewer steps against overfitting, and nothing helps.",
        "broken": _with("prepare", "x_test / 16", "x_test"),
        "mended": {"prepare": HEALTHY["prepare"]},
    },
    {
        "cause": "rate too high",
        "complaint": "What was pretrained seems to be gone after a few steps. Print, which it read "
        "before, it cannot read any more at all.",
        "broken": _with("optimiser", '"lr": 1e-3', '"lr": 0.3'),
        "mended": {"optimiser": HEALTHY["optimiser"]},
        "ill": lambda p: p.run.moved["body"] > 30,
    },
    {
        "cause": "head not in the optimiser",
        "ill": lambda p: p.run.moved["head"] == 0,
        "complaint": "Fine-tuning gives less than the head alone did yesterday. The loss goes "
        "down, though.",
        "broken": {
            "optimiser": '''
def optimiser(model):
    """Train gently."""
    return torch.optim.Adam(model.body.parameters(), 1e-3)
''',
        },
        "mended": {"optimiser": HEALTHY["optimiser"]},
    },
    {
        "cause": "frozen by accident",
        "ill": lambda p: p.run.moved["body"] == 0,
        "complaint": "First the head alone, then I unfreeze and train everything. It makes no "
        "difference at all.",
        "broken": {
            "build": '''
def build():
    """Return the network that reads print, with a new head, unfrozen."""
    model = pretrained()
    model.requires_grad_(False)
    model.head = nn.Linear(64, 10)
    model.body.requires_grad = True
    return model
''',
        },
        "mended": {"build": HEALTHY["build"]},
    },
    {
        "cause": "frozen BatchNorm moves",
        "complaint": "The frozen body serves two heads, one for print and this one for scans. "
        "Since I trained the second, the first reads otherwise. But nothing of the body was "
        "trained!",
        "broken": {"build": FROZEN, "optimiser": HEAD_ALONE},
        "mended": {"step": EVALUATING},
        "ill": lambda p: p.run.moved["statistics"] > 0,
    },
    {
        "cause": "duplicates in training and test",
        "ill": lambda p: p.twins() > 0,
        "complaint": "Better than anything that others report with 100 labels. Can that be? The "
        "test images come from a second export of the archive.",
        "broken": _with("load", "return x[rows], y[rows], x_test, y_test",
                        "others = draw(y_test, 20)\n"
                        "    x, y = torch.cat([x[rows], x_test[others]]), "
                        "torch.cat([y[rows], y_test[others]])\n"
                        "    return x, y, x_test, y_test"),
        "mended": {"load": HEALTHY["load"]},
    },
    {
        "cause": "label order changed",
        "ill": lambda p: p.first_loss() > 3.5,
        "complaint": "I keep the old head, since the ten classes are the same. The first loss is "
        "higher than that of a network that knows nothing.",
        "broken": {
            **_with("load", "return x[rows], y[rows], x_test, y_test",
                    'names = "zero one two three four five six seven eight nine".split()\n'
                    "    number = torch.tensor([sorted(names).index(name) for name in names])\n"
                    "    return x[rows], number[y[rows]], x_test, number[y_test]"),
            **_with("build", "    model.head = nn.Linear(64, 10)\n", ""),
        },
        "mended": {"load": HEALTHY["load"]},
    },
    {
        "cause": "scaler fitted on all",
        "ill": lambda p: p.depends_on_test(),
        "complaint": "A reviewer says that my test is not honest. It is one line of preprocessing!",
        "broken": {
            "prepare": '''
def prepare(x, x_test):
    """Scale to mean 0.3 and deviation 0.37, those of print."""
    both = torch.cat([x, x_test])
    return tuple((part - both.mean()) / both.std() * 0.37 + 0.3 for part in (x, x_test))
''',
        },
        "mended": {
            "prepare": '''
def prepare(x, x_test):
    """Scale to mean 0.3 and deviation 0.37, those of print."""
    return tuple((part - x.mean()) / x.std() * 0.37 + 0.3 for part in (x, x_test))
''',
        },
    },
    {
        "cause": "not a number in half precision",
        "ill": lambda p: not all(abs(loss) < 1e9 for loss in p.run.losses),
        "complaint": "The loss is nan from the first steps. I have added weight decay, and changed "
        "the optimiser, as the lists of tips say.",
        "broken": _with("step", "    loss = F.cross_entropy(model(x[rows]), y[rows])\n",
                        "    p = (4 * model(x[rows])).softmax(dim=1).half()\n"
                        "    loss = -p.log()[range(len(rows)), y[rows]].float().mean()\n"),
        "mended": {"step": HEALTHY["step"]},
    },
    {
        "cause": "gradients never set to zero",
        "ill": lambda p: p.run.gradients[-1]["body"] > 10,
        "complaint": "It begins well, then the loss jumps up and down, more and more.",
        "broken": _with("step", "    optimizer.zero_grad()\n", ""),
        "mended": {"step": HEALTHY["step"]},
    },
    {
        "cause": "classes in order",
        "ill": lambda p: p.last_loss() > 1.2,
        "complaint": "The file is sorted, so I read it batch by batch, to be reproducible. In the "
        "end it knows some classes only.",
        "broken": _with("step", "torch.randperm(len(x))[:32]",
                        "torch.arange(i // 12 * 10, i // 12 * 10 + 10) % len(x)"),
        "mended": {"step": HEALTHY["step"]},
    },
    {
        "cause": "classes of unequal size",
        "ill": lambda p: p.gap() > 43,
        "complaint": "Most is right, and the customers for 5 to 9 complain.",
        "broken": _with("load", "    rows = draw(y, 10)\n",
                        "    rows = [i for i in draw(y, 40) if y[i] < 5]\n"
                        "    rows += [i for i in draw(y, 1) if y[i] > 4]\n"),
        "mended": _with("step", "F.cross_entropy(model(x[rows]), y[rows])",
                        "F.cross_entropy(model(x[rows]), y[rows], 10 / (1 + torch.bincount(y)))"),
    },
    {
        "cause": "gradients vanish",
        "ill": lambda p: p.run.gradients[0]["body"] < 1e-3,
        "complaint": "I gave it a deeper head, for more capacity. Now nothing is learned, and the "
        "body hardly moves.",
        "broken": _with("build", "    model.head = nn.Linear(64, 10)\n",
                        "    layers = [[nn.Linear(64, 64), nn.Sigmoid()] for _ in range(6)]\n"
                        "    model.head = nn.Sequential(*sum(layers, []), nn.Linear(64, 10))\n"),
        "mended": {"build": HEALTHY["build"]},
    },
    {
        "cause": "overfitting",
        "complaint": "One label per class is all I have, so I train a network of my own on them, "
        "until every one is right. Then the test comes.",
        "broken": {
            **_with("load", "draw(y, 10)", "draw(y, 1)"),
            **_with("build", "pretrained()", "untrained()"),
        },
        "mended": {"build": HEALTHY["build"]},
        "ill": lambda p: p.run.losses[-1] < 0.1 and p.run.accuracy < 66,
    },
    {
        "cause": "domain shift",
        "ill": lambda p: p.shift() > 0.2,
        "complaint": "All curves are fine. But what I test with are negatives, dark on light, from "
        "another archive, and no rate, no number of steps and no regularisation helps.",
        "broken": _with("load", "y[rows], x_test, y_test", "y[rows], 16 - x_test, y_test"),
        "mended": _with("prepare", "x_test / 16", "1 - x_test / 16"),
    },
    {
        "cause": "nothing to transfer",
        "ill": lambda p: p.run.accuracy < 15,
        "complaint": "The labels say in which of ten weeks a digit was written. Pretrained or not, "
        "any rate, any number of steps: it stays at a tenth.",
        "broken": _with("load", "return x[rows], y[rows], x_test, y_test",
                        "weeks = np.random.default_rng(0)\n"
                        "    return x[rows], torch.tensor(weeks.permutation(100) % 10), x_test, "
                        "torch.tensor(weeks.permutation(901) % 10)"),
        "mended": {},
    },
]  # fmt: skip
