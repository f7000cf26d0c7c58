"""The ward of lesson 14: small transfer projects, each with one fault, to be examined and mended.

``patient = case(3)`` is admitted with ten labels per class; ``case(3, seed=8)`` is the same illness
in another body: other labels, another network. ``patient.show()`` prints its five functions, and a
test is made when it is asked for. ``patient.change(old, new)`` is the patient with other code in
one place, ``patient.mended(step=my_step)`` with a function of yours. The cases themselves stand in
``clinic_cases.py``.
"""

import dataclasses
import difflib
import textwrap
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np

from transfer_lib.exercises.clinic_cases import CASES, HEALTHY
from transfer_lib.exercises.clinic_networks import digits, network, pretrained

STEPS = 120
FUNCTIONS = tuple(HEALTHY)
FIVE = (7, 1, 6, 0, 4)
CAUSES = sorted(found["cause"] for found in CASES)


@dataclass
class Run:
    """What one training shows.

    Attributes
    ----------
    losses : list of float
        The training loss of each step.
    gradients : list of dict
        The norm of the gradient of body and head, before each step.
    moved : dict
        How far the weights of body and head, and the body's statistics, went in all.
    predicted, labels : ndarray of int
        Of the test images.
    model : torch.nn.Module
        What was trained.
    """

    losses: list = field(default_factory=list)
    gradients: list = field(default_factory=list)
    moved: dict = field(default_factory=dict)
    predicted: np.ndarray = None
    labels: np.ndarray = None
    model: object = None

    @property
    def accuracy(self):
        """Return the accuracy on the project's own test images, percent."""
        return 100 * float(np.mean(self.predicted == self.labels))


@dataclass
class Patient:
    """A transfer project: five functions as text, and what its owner says of it."""

    number: int | None  # 0 is healthy; None does not tell
    seed: int
    complaint: str
    sources: dict
    replaced: dict = field(default_factory=dict)

    @property
    def cause(self):
        """Return what is wrong. Look last."""
        if self.number is None:
            raise ValueError("A patient who waits does not tell the cause; ask for tests.")
        return CASES[self.number - 1]["cause"] if self.number else "healthy"

    def file(self):
        """Print what the owner says; return a figure of the loss, beside the healthy project's."""
        from transfer_lib import plots

        print(textwrap.fill(f"Patient {self.number}. {self.complaint}", 90))
        fig, ax = plots.figure(figsize=(6, 2.6))
        ax.plot(healthy(self.seed).run.losses, color="0.6", marker="", label="healthy")
        ax.plot(self.run.losses, marker="", label=f"patient {self.number}")
        ax.set(xlabel="Step", ylabel="Loss", yscale="log")
        ax.set_title(f"{self.run.accuracy:.1f} % of the test images are right")
        ax.legend(loc="upper right")
        return fig

    def show(self):
        """Print the project."""
        print("\n\n".join(self.sources[name].strip() for name in FUNCTIONS))

    def change(self, old, new):
        """Return the patient with `new` in the place of `old`, which stands in it once.

        Raises
        ------
        ValueError
            If `old` is empty, stands nowhere in the five functions, or in several places.
        SyntaxError
            If the result is not Python.
        """
        if not old:
            raise ValueError("Nothing to replace: `old` is a piece of `patient.show()`.")
        places = [name for name in FUNCTIONS for _ in range(self.sources[name].count(old))]
        if len(places) != 1:
            lines = [line.strip() for name in FUNCTIONS for line in self.sources[name].split("\n")]
            near = difflib.get_close_matches(old.strip(), lines, 1, 0.5)
            told = f" Did you mean {near[0]!r}?" if near and not places else ""
            if places:
                told = " Take more of the line, so that it is one place."
            raise ValueError(f"{old!r} stands {len(places)} times in the project.{told}")
        text = self.sources[places[0]].replace(old, new)
        compile(text, f"<{places[0]} of patient {self.number}>", "exec")
        sources = self.sources | {places[0]: text}
        return Patient(self.number, self.seed, self.complaint, sources, self.replaced)

    @cached_property
    def functions(self):
        """Return the five functions, those of the learner among them."""
        import torch
        from torch import nn
        from torch.nn import functional as F

        world = {"torch": torch, "nn": nn, "F": F, "np": np, "digits": digits}
        world |= {"pretrained": lambda: pretrained(self.seed), "untrained": network}
        world["draw"] = lambda y, per_class: _draw(y, per_class, self.seed)
        for text in self.sources.values():
            exec(text, world)
        return {name: world[name] for name in FUNCTIONS} | self.replaced

    @cached_property
    def prepared(self):
        """Return training images and labels, test images and labels, as the network gets them."""
        x, y, x_test, y_test = self.functions["load"]()
        x, x_test = self.functions["prepare"](x, x_test)
        return x, y, x_test, y_test

    @cached_property
    def run(self):
        """Train, once, and return what that shows."""
        return self._train(STEPS)

    def mended(self, **functions):
        """Return the patient with functions of yours in the place of its own."""
        unknown = set(functions) - set(FUNCTIONS)
        if unknown:
            raise ValueError(f"{unknown.pop()!r} is none of the functions {', '.join(FUNCTIONS)}.")
        replaced = self.replaced | functions
        return Patient(self.number, self.seed, self.complaint, self.sources, replaced)

    def __dir__(self):
        """Return what completion offers: no cause."""
        return [name for name in super().__dir__() if name not in ("cause", "admitted")]

    def admitted(self):
        """Return the patient as it came, nothing changed."""
        return case(self.number, self.seed) if self.number else self

    def first_loss(self):
        """Return the loss of the first step; a network that knows nothing has ln 10 = 2.30."""
        return self.run.losses[0]

    def inputs(self):
        """Return lowest, mean and highest value of the training and of the test images."""
        x, _, x_test, _ = self.prepared
        return {
            name: tuple(round(float(f()), 2) for f in (part.min, part.mean, part.max))
            for name, part in (("training", x), ("test", x_test))
        }

    def last_loss(self):
        """Return the mean loss of the last twelve steps."""
        return float(np.mean(self.run.losses[-12:]))

    def shift(self):
        """Return how far the mean of the test images lies from that of the training images."""
        x, _, x_test, _ = self.prepared
        return abs(float(x.mean() - x_test.mean()))

    def depends_on_test(self):
        """Return True if other test images would change the training images."""
        x, _, x_test, _ = self.functions["load"]()
        once, other = (self.functions["prepare"](x, some)[0] for some in (x_test, x_test[:9] + 3))
        return not bool((once == other).all())

    def gap(self):
        """Return the accuracy on 0 to 4 less that on 5 to 9, points."""
        found = self.per_class()
        parts = [[right for k, right in found.items() if (k < 5) == low] for low in (True, False)]
        return float(np.mean(parts[0]) - np.mean(parts[1])) if all(parts) else 0.0

    def twins(self, moved=0):
        """Return how many test images are training images, or are so when moved by some pixels."""
        x, _, x_test, _ = self.prepared
        seen, far = {image.numpy().tobytes() for image in x}, range(-moved, moved + 1)
        places = [(down, right) for down in far for right in far]
        return sum(
            any(image.roll(place, (1, 2)).numpy().tobytes() in seen for place in places)
            for image in x_test
        )

    def numbers(self):
        """Return how many of the losses are numbers."""
        return int(np.isfinite(self.run.losses).sum())

    def moved(self):
        """Return how far the weights of body and head went, and the statistics of the body."""
        return {part: round(far, 2) for part, far in self.run.moved.items()}

    def gradients(self):
        """Return the norms of the gradients of body and head after the first and the last step."""
        steps = {"first": self.run.gradients[0], "last": self.run.gradients[-1]}
        return {name: {k: float(f"{v:.3g}") for k, v in at.items()} for name, at in steps.items()}

    def one_batch(self, steps=60):
        """Train on the same twenty images again and again; return the accuracy on them, percent."""
        return self._train(steps, rows=20).accuracy

    def per_class(self):
        """Return the accuracy on the test images of each class, percent."""
        run = self.run
        right = run.predicted == run.labels
        return {
            int(k): round(100 * float(right[run.labels == k].mean())) for k in np.unique(run.labels)
        }

    def training_labels(self):
        """Return how many training images each class has."""
        return np.bincount(self.prepared[1], minlength=10).tolist()

    def print_accuracy(self):
        """Return what the trained body, with the old head, still reads of printed digits."""
        import torch

        old = pretrained(self.seed)
        *_, x, y = digits("font_digits")
        old.body = self.run.model.body
        with torch.no_grad():
            return 100 * float((old.eval()(x / 16).argmax(1) == y).float().mean())

    def _train(self, steps, rows=None):
        """Train on one thread: two that wait for each other are slower with small networks."""
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return self._trained(steps, rows)
        finally:
            torch.set_num_threads(threads)

    def _trained(self, steps, rows):
        import torch

        x, y, x_test, y_test = self.prepared
        if rows:
            chosen = _draw(y, rows // 10, self.seed)
            x, y, x_test, y_test = x[chosen], y[chosen], x[chosen], y[chosen]
        torch.manual_seed(self.seed)
        model = self.functions["build"]()
        before = _state(model)
        optimizer = self.functions["optimiser"](model)
        run = Run(labels=y_test.numpy(), model=model)
        for i in range(steps):
            loss = self.functions["step"](model, optimizer, x, y, i)
            run.losses.append(float(torch.as_tensor(loss).detach()))
            run.gradients.append({n: _norm(getattr(model, n)) for n in ("body", "head")})
        after = _state(model)
        for part, names in _parts(before).items():
            run.moved[part] = float(sum(((after[n] - before[n]) ** 2).sum() for n in names) ** 0.5)
        with torch.no_grad():
            run.predicted = model.eval()(x_test).argmax(1).numpy()
        return run


@cache
def case(number, seed=0):
    """Return a patient of the ward; asked for again, it is the same with all its tests.

    Parameters
    ----------
    number : int
        1 to the number of cases.
    seed : int
        Which network, and which labels. The fault stays.

    Raises
    ------
    ValueError
        If there is no such case.
    """
    if number not in range(1, len(CASES) + 1):
        raise ValueError(f"There is no case {number}; the ward has the cases 1 to {len(CASES)}.")
    admitted = CASES[number - 1]
    return Patient(number, seed, admitted["complaint"], HEALTHY | admitted["broken"])


@cache
def healthy(seed=0):
    """Return the project without a fault."""
    return Patient(0, seed, "Nothing is wrong with this one.", dict(HEALTHY))


def waiting(patient):
    """Return a patient who does not tell the cause, for a triage."""
    return dataclasses.replace(patient, number=None, complaint="")


def five(seed=0):
    """Return five projects by letter: one healthy, four with a fault of the lesson's path."""
    return {
        letter: case(i, seed) if i else healthy(seed)
        for letter, i in zip("ABCDE", FIVE, strict=True)
    }


@cache
def treated(number, seed=0):
    """Return the patient with the changes of the solution."""
    patient = case(number, seed)
    for old, new in CASES[number - 1]["change"]:
        patient = patient.change(old, new)
    return patient


def ill(patient, cause=None):
    """Return True if the patient, treated or not, shows the sign of its case, or of a cause."""
    return bool(found(cause or patient.cause)["ill"](patient))


def found(cause):
    """Return the case with this cause."""
    return next(case for case in CASES if case["cause"] == cause)


def _draw(y, per_class, seed):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(np.flatnonzero(y == k))[:per_class] for k in range(10)])


def _state(model):
    return {name: value.detach().clone().float() for name, value in model.state_dict().items()}


def _parts(state):
    """Return the names of body, head and statistics: what BatchNorm counts is no weight."""
    counted = [name for name in state if "running" in name or "num_batches" in name]
    weights = [name for name in state if name not in counted]
    parts = {part: [n for n in weights if n.startswith(part)] for part in ("body", "head")}
    return parts | {"statistics": [n for n in counted if "running" in n]}


def _norm(part):
    squares = [float((p.grad**2).sum()) for p in part.parameters() if p.grad is not None]
    return sum(squares) ** 0.5
