"""The cases of the clinic.

Each has a cause, the test that tells it (``sign``, an expression of the patient; sometimes ``also``
another one), what that test shows (``tells``) and when it does (``ill``), what the owner says, the
broken functions, the changes that mend them, and why.
The first nine are those of the lesson's path, the tenth is shown there, the others are optional.
"""

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


def _as_unequal(patient):
    """Return True if the large classes are as far ahead as on admission."""
    sizes = patient.training_labels()
    if max(sizes) < 10 * min(sizes):
        return False
    return patient.gap() > 0.85 * patient.admitted().gap()


CASES = [
    {
        "cause": "softmax twice",
        "tells": "a loss that ends far above 0 although each class is learned",
        "sign": "last_loss()",
        "also": "per_class()",
        "ill": lambda p: p.last_loss() > 1.2,
        "complaint": "It learns, and the loss stays far above zero however long I train.",
        "broken": _with("step", "model(x[rows])", "model(x[rows]).softmax(dim=1)"),
        "change": [(".softmax(dim=1)", "")],
        "why": "`cross_entropy` makes the softmax itself, from logits. On probabilities it cannot "
        "fall below 1.46, and its gradients are small. The accuracy hardly tells you.",
    },
    {
        "cause": "wrong preprocessing",
        "tells": "highest values far from 1, in training or in the test",
        "sign": "inputs()",
        "ill": lambda p: not all(0.5 < part[2] <= 1.5 for part in p.inputs().values()),
        "complaint": "I use the frozen body as it was delivered. My colleague gets more out of "
        "the same file.",
        "broken": {**HEAD_ONLY, **_with("prepare", "x / 16, x_test / 16", "x, x_test")},
        "change": [("return x, x_test", "return x / 16, x_test / 16")],
        "why": "A frozen body expects the inputs of its pretraining, 0 to 1 here. If it is trained "
        "along, it may get used to other ones, and nobody notices.",
    },
    {
        "cause": "frozen BatchNorm moves",
        "tells": "statistics that move while the body's weights do not",
        "sign": "moved()",
        "ill": lambda p: p.run.moved["body"] == 0 < p.run.moved["statistics"],
        "complaint": "The frozen body serves two heads, one for print and this one for scans. "
        "Since I trained the second, the first reads otherwise.",
        "broken": {"build": FROZEN, "optimiser": HEAD_ALONE},
        "change": [("model.train()", "model.eval()")],
        "why": "`requires_grad` stops gradients. The running means of BatchNorm are no parameters; "
        "they move whenever the layer is in training mode.",
    },
    {
        "cause": "optimiser not rebuilt",
        "tells": "a body that has gradients and hardly moves",
        "sign": "moved()",
        "also": "gradients()",
        "ill": lambda p: p.run.moved["body"] < 1 and max(g["body"] for g in p.run.gradients) > 0,
        "complaint": "First the head alone, then, from step 40 on, everything. The second part "
        "brings nothing.",
        "broken": {
            "build": FROZEN,
            "optimiser": '''
def optimiser(model):
    """Train what is not frozen."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return torch.optim.Adam(trained, 3e-3)
''',
            "step": HEALTHY["step"].replace(
                "    model.train()\n",
                "    model.train()\n    if i == 40:\n        model.requires_grad_(True)\n",
            ),
        },
        "change": [("[p for p in model.parameters() if p.requires_grad]", "model.parameters()")],
        "why": "An optimiser trains what it was given. The body has gradients from step 40 on, and "
        "nobody uses them: rebuild it after unfreezing, or give it all parameters at once.",
    },
    {
        "cause": "rate too high",
        "tells": "a body that went five times as far as the healthy one",
        "sign": "moved()",
        "ill": lambda p: p.run.moved["body"] > 8,
        "complaint": "It ends well. But what it could read before, print, is gone.",
        "broken": _with("optimiser", '"lr": 1e-3', '"lr": 0.3'),
        "change": [('"lr": 0.3', '"lr": 1e-3')],
        "why": "The body went a hundred times as far as the healthy one. With this rate it is a "
        "new network, and the pretraining was for nothing.",
    },
    {
        "cause": "duplicates in training and test",
        "tells": "twins",
        "sign": "twins()",
        "ill": lambda p: p.twins() > 0,
        "complaint": "Better than anything that others report. The training images are my own and "
        "some from a second export of the archive.",
        "broken": _with("load", "return x[rows], y[rows], x_test, y_test",
                        "more = draw(y_test, 20)\n"
                        "    x, y = torch.cat([x[rows], x_test[more]]), "
                        "torch.cat([y[rows], y_test[more]])\n"
                        "    return x, y, x_test, y_test"),
        "change": [("torch.cat([x[rows], x_test[more]]), torch.cat([y[rows], y_test[more]])",
                    "x[rows], y[rows]")],
        "why": "An image that was trained on says nothing as a test. Comparing all bytes costs a "
        "second.",
    },
    {
        "cause": "label order changed",
        "tells": "a first loss far above that of the healthy project",
        "sign": "first_loss()",
        "ill": lambda p: p.first_loss() > 3.5,
        "complaint": "The classes are those of the pretraining, so I keep the old head. It begins "
        "worse than a network that knows nothing.",
        "broken": {
            **_with("load", "return x[rows], y[rows], x_test, y_test",
                    'names = "zero one two three four five six seven eight nine".split()\n'
                    "    number = torch.tensor([sorted(names).index(name) for name in names])\n"
                    "    return x[rows], number[y[rows]], x_test, number[y_test]"),
            "build": HEALTHY["build"].replace("    model.head = nn.Linear(64, 10)\n", "").replace(
                "with a new head", "with its head"
            ),
        },
        "change": [("sorted(names).index(name)", "names.index(name)")],
        "why": "Folders are read in the order of the alphabet: eight is class 0. A first loss "
        "far above ln 10 means that the network is sure, and wrong.",
    },
    {
        "cause": "not a number in half precision",
        "tells": "losses that are no numbers",
        "sign": "numbers()",
        "ill": lambda p: not all(abs(loss) < 1e9 for loss in p.run.losses),
        "complaint": "The loss is nan after a few steps, with weight decay and without, with Adam "
        "and with SGD, all that the lists of tips say. The factor 4 makes it surer; I need that.",
        "broken": _with("step", "    loss = F.cross_entropy(model(x[rows]), y[rows])\n",
                        "    p = (4 * model(x[rows])).softmax(dim=1).half()\n"
                        "    loss = -p.log()[range(len(rows)), y[rows]].float().mean()\n"),
        "change": [("softmax(dim=1).half()", "log_softmax(dim=1)"), ("p.log()", "p")],
        "why": "Below 6e-8 half precision knows only 0, and its logarithm is minus infinity. "
        "`log_softmax`, or `cross_entropy`, never makes the small number.",
    },
    {
        "cause": "nothing to transfer",
        "tells": "a test at chance beside a training loss near 0",
        "sign": "run.accuracy",
        "ill": lambda p: p.run.accuracy < 15 and p.run.losses[-1] < 0.5,
        "complaint": "The labels say in which of ten weeks a digit was written. Pretrained or not, "
        "any rate, any number of steps: the test stays at a tenth.",
        "broken": _with("load", "return x[rows], y[rows], x_test, y_test",
                        "weeks = np.random.default_rng(0)\n"
                        "    return x[rows], torch.tensor(weeks.permutation(100) % 10), x_test, "
                        "torch.tensor(weeks.permutation(901) % 10)"),
        "change": [],
        "why": "It learns every training image by heart, so the code works. The test stays at "
        "chance, so what it learned is in no other image. No line mends that; say so to the owner.",
    },
    {
        "cause": "test prepared otherwise",
        "tells": "highest values that differ between training and test",
        "sign": "inputs()",
        "ill": lambda p: abs(p.inputs()["test"][2] - p.inputs()["training"][2]) > 1,
        "complaint": "Perfect in training, poor in the test. I have tried dropout, weight decay "
        "and fewer steps against overfitting, and nothing helps.",
        "broken": _with("prepare", "x_test / 16", "x_test"),
        "change": [("x / 16, x_test", "x / 16, x_test / 16")],
        "why": "Test images need the preparation of the training images, by the same code.",
    },
    {
        "cause": "domain shift",
        "tells": "means of training and test that differ although both go up to 1",
        "sign": "shift()",
        "ill": lambda p: p.shift() > 0.2 and p.inputs()["test"][2] < 2,
        "complaint": "All curves are fine. But what I test with is from another archive, and no "
        "rate, no number of steps and no regularisation helps.",
        "broken": _with("load", "y[rows], x_test, y_test", "y[rows], 16 - x_test, y_test"),
        "change": [("x_test / 16", "1 - x_test / 16")],
        "why": "These are negatives, dark on light. No tuning on the source closes a gap that the "
        "training images do not show: look at the images of both sides.",
    },
    {
        "cause": "scaler fitted on all",
        "tells": "training images that change with the test images",
        "sign": "depends_on_test()",
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
        "change": [("both = torch.cat([x, x_test])", "both = x")],
        "why": "Here it moves the accuracy by almost nothing. With few training images, or with "
        "features chosen on all, it can move it a lot, and nobody can tell from outside.",
    },
    {
        "cause": "gradients never set to zero",
        "tells": "gradients that grow, those of the body to 10 and more",
        "sign": "gradients()",
        "ill": lambda p: p.run.gradients[-1]["body"] > 10,
        "complaint": "It begins well, then the loss jumps up and down, more and more.",
        "broken": _with("step", "    optimizer.zero_grad()\n", ""),
        "change": [("    loss.backward()\n", "    optimizer.zero_grad()\n    loss.backward()\n")],
        "why": "`backward` adds to what is there. Without `zero_grad` each step is the sum of all "
        "steps before, and gradients explode.",
    },
    {
        "cause": "gradients vanish",
        "tells": "a first gradient of the body below 0.001",
        "sign": "gradients()",
        "ill": lambda p: 0 < p.run.gradients[0]["body"] < 1e-3,
        "complaint": "I gave it a deeper head, for more capacity. Now hardly anything is learned.",
        "broken": _with("build", "    model.head = nn.Linear(64, 10)\n",
                        "    layers = [[nn.Linear(64, 64), nn.Sigmoid()] for _ in range(6)]\n"
                        "    model.head = nn.Sequential(*sum(layers, []), nn.Linear(64, 10))\n"),
        "change": [("nn.Sigmoid()", "nn.ReLU()")],
        "why": "Each sigmoid multiplies the gradient by a quarter at most, and six of them leave "
        "nothing for the body. `ReLU` lets it through; one linear layer would do, too.",
    },
    {
        "cause": "classes in order",
        "tells": "classes that are never right, and a loss that ends high",
        "sign": "per_class()",
        "ill": lambda p: min(p.per_class().values()) < 5 and p.last_loss() > 1.2,
        "complaint": "The file is sorted, so I read it batch by batch, to be reproducible. In the "
        "end it knows some classes only.",
        "broken": _with("step", "torch.randperm(len(x))[:32]",
                        "torch.arange(i // 12 * 10, i // 12 * 10 + 10) % len(x)"),
        "change": [("torch.arange(i // 12 * 10, i // 12 * 10 + 10) % len(x)",
                    "torch.randperm(len(x))[:32]")],
        "why": "A batch of one class says only: always answer this. Shuffle with a fixed seed and "
        "it is as reproducible.",
    },
    {
        "cause": "classes of unequal size",
        "tells": "classes with ten times the labels of others",
        "sign": "training_labels()",
        "ill": _as_unequal,
        "complaint": "Most is right, and the customers for 5 to 9 complain.",
        "broken": _with("load", "    rows = draw(y, 10)\n",
                        "    rows = [i for i in draw(y, 80) if y[i] < 5]\n"
                        "    rows += [i for i in draw(y, 2) if y[i] > 4]\n"),
        "change": [("F.cross_entropy(model(x[rows]), y[rows])",
                    "F.cross_entropy(model(x[rows]), y[rows], 1 / torch.bincount(y))")],
        "why": "Two labels against eighty. Weights in the loss help in part, more labels help "
        "more, and an accuracy per class shows it to begin with.",
    },
    {
        "cause": "overfitting",
        "tells": "a training loss near 0 and a test that is poor, though above chance",
        "sign": "run.accuracy",
        "ill": lambda p: p.run.losses[-1] < 0.1
        and 15 < p.run.accuracy < min(66, p.admitted().run.accuracy + 5),
        "complaint": "One label per class is all I have, so I train a network of my own on them, "
        "until every one is right. Then the test comes.",
        "broken": {
            **_with("load", "draw(y, 10)", "draw(y, 1)"),
            **_with("build", "pretrained()", "untrained()"),
        },
        "change": [("untrained()", "pretrained()")],
        "why": "Ten images fit many networks. What was pretrained makes most of those unlikely; "
        "this is what transfer is for.",
    },
    {
        "cause": "frozen by accident",
        "tells": "a body without gradients to the end",
        "sign": "gradients()",
        "ill": lambda p: p.run.moved["body"] == 0 == p.run.gradients[-1]["body"],
        "complaint": "I train everything. It makes no difference to the head alone.",
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
        "change": [("model.body.requires_grad = True", "model.body.requires_grad_(True)")],
        "why": "`module.requires_grad = True` sets a new attribute that nobody reads. The method "
        "ends with an underscore.",
    },
    {
        "cause": "head not in the optimiser",
        "tells": "a head that does not move",
        "sign": "moved()",
        "ill": lambda p: p.run.moved["head"] == 0,
        "complaint": "Fine-tuning gives less than I expected. The loss goes down, though.",
        "broken": {
            "optimiser": '''
def optimiser(model):
    """Train gently."""
    return torch.optim.Adam(model.body.parameters(), 1e-3)
''',
        },
        "change": [("model.body.parameters()", "model.parameters()")],
        "why": "The body has learned to serve a head of random numbers. That works, somewhat; it "
        "is just not what was meant.",
    },
    {
        "cause": "crops of one image in training and test",
        "tells": "twins after a move by a pixel",
        "sign": "twins(moved=1)",
        "ill": lambda p: p.twins(moved=2) > 0,
        "complaint": "Four crops of each scan, moved by a pixel, give me four times the data, and "
        "a test that is better than I expected.",
        "broken": {
            "load": '''
def load():
    """Return 200 crops of 100 scans to train, and as many to test."""
    x, y, *_ = digits("digits")
    rows = draw(y, 10)
    moves = [(0, 0), (0, 1), (1, 0), (1, 1)]
    x, y = torch.cat([x[rows].roll(move, (2, 3)) for move in moves]), y[rows].repeat(4)
    lot = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return x[lot[:200]], y[lot[:200]], x[lot[200:]], y[lot[200:]]
''',
        },
        "change": [
            ("torch.randperm(len(x), generator", "torch.randperm(len(rows), generator"),
            (".manual_seed(0))", ".manual_seed(0))\n"
             "    lot = (lot[:, None] + len(rows) * torch.arange(4)).flatten()"),
        ],
        "why": "No two images are equal, and yet each test image has a brother in the training. "
        "Split by scan, photo, patient or author first; crop and augment afterwards.",
    },
]  # fmt: skip
