"""A training run on the disk: written whole or not at all, and taken up where it was."""

import os
from dataclasses import dataclass, field

import torch

PARTS = ("model", "optimizer", "schedule")


@dataclass
class Run:
    """All that the next epoch of a training depends on, but for torch's random state.

    Attributes
    ----------
    model, optimizer, schedule
        Whatever has a ``state_dict``.
    generator : torch.Generator
        For the order of the batches.
    history : list
        One record per epoch.
    best : dict
        The ``state_dict`` of the best epoch.
    """

    model: object
    optimizer: object
    schedule: object
    generator: torch.Generator
    history: list = field(default_factory=list)
    best: dict = field(default_factory=dict)


def save(run, path):
    """Write a run and torch's random state; a kill meanwhile leaves the previous file whole."""
    state = {name: getattr(run, name).state_dict() for name in PARTS}
    state |= {"history": run.history, "best": run.best, "order": run.generator.get_state()}
    torch.save(state | {"random": torch.get_rng_state()}, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def resume(run, path):
    """Set a run to what `save` wrote, if there is such a file. Numbers are read, no code is run."""
    if not path or not path.exists():
        return
    device = next(run.model.parameters()).device
    state = torch.load(path, map_location=device, weights_only=True)
    for name in PARTS:
        getattr(run, name).load_state_dict(state[name])
    run.history, run.best = state["history"], state["best"]
    run.generator.set_state(state["order"].cpu())
    torch.set_rng_state(state["random"].cpu())
