"""What lesson 14 says about its patients: what their faults cost, and which tips do not help.

Bounds were set on seeds 0 to 4. A seed makes another pretrained network and draws other labels.
Points are those of accuracy on the 901 test scans, or on the printed digits.
"""

import math

from transfer_lib.exercises import clinic

CLAIMS = {
    "14.softmax": ("Softmax twice: points lost.", "-2 .. 15 points"),
    "14.inputs": ("A frozen body gets 0 to 16, not 0 to 1: points lost.", "0 .. 8 points"),
    "14.print-moves": ("A frozen body's statistics move: points lost on print.", "-8 .. 8 points"),
    "14.rebuilt": ("The optimiser was not rebuilt: points lost.", ">= 2 points"),
    "14.print-lost": ("A rate of 0.3 and not 0.001: points lost on print.", ">= 10 points"),
    "14.twins": ("200 test images in training: points won.", "0.5 .. 6 points"),
    "14.order": ("Label order changed: first loss above ln 10.", ">= 1.2"),
    "14.tips": ("Of L2, SGD and RMSprop, how many end with a number.", "0 .. 0"),
    "14.hopeless": ("Nothing to transfer: pretrained over untrained.", "-5 .. 5 points"),
}

NUMBERS = {clinic.case(i).cause: i for i in range(1, len(clinic.CAUSES) + 1)}


def measure(seed):
    """Return the figures for one seed."""

    def pair(cause):
        return clinic.case(NUMBERS[cause], seed), clinic.treated(NUMBERS[cause], seed)

    def lost(cause):
        sick, well = pair(cause)
        return well.run.accuracy - sick.run.accuracy

    def lost_on_print(cause):
        sick, well = pair(cause)
        return well.print_accuracy() - sick.print_accuracy()

    hopeless, _ = pair("nothing to transfer")
    return {
        "14.softmax": lost("softmax twice"),
        "14.inputs": lost("wrong preprocessing"),
        "14.print-moves": lost_on_print("frozen BatchNorm moves"),
        "14.rebuilt": lost("optimiser not rebuilt"),
        "14.print-lost": lost_on_print("rate too high"),
        "14.twins": -lost("duplicates in training and test"),
        "14.order": pair("label order changed")[0].first_loss() - math.log(10),
        "14.tips": tips(seed),
        "14.hopeless": hopeless.run.accuracy
        - hopeless.change("pretrained()", "untrained()").run.accuracy,
    }


def tips(seed):
    """Return how many of three tips leave the last loss a number."""
    import torch

    sick = clinic.case(NUMBERS["not a number in half precision"], seed)
    made = {
        "L2": lambda model: torch.optim.Adam(model.parameters(), 1e-3, weight_decay=0.01),
        "SGD": lambda model: torch.optim.SGD(model.parameters(), 1e-3),
        "RMSprop": lambda model: torch.optim.RMSprop(model.parameters(), 1e-3),
    }
    ends = [sick.mended(optimiser=tip).run.losses[-1] for tip in made.values()]
    return sum(map(math.isfinite, ends))
