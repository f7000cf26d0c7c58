"""Lesson 14, The clinic: its cells tagged `keep`, built."""


def triage(patient):
    """Return the cause of a patient's illness, one of the nine of the ward, or "healthy"."""
    moved = patient.moved()
    if patient.twins() > 0:
        return "duplicates in training and test"
    if patient.inputs()["training"][2] > 2:
        return "wrong preprocessing"
    if patient.numbers() < 120:
        return "not a number in half precision"
    if patient.first_loss() > 3.5:
        return "label order changed"
    if moved["body"] > 8:
        return "rate too high"
    if moved["body"] == 0:
        unused = patient.gradients()["last"]["body"] > 0
        return "optimiser not rebuilt" if unused else "frozen BatchNorm moves"
    if patient.last_loss() > 1.2:
        return "softmax twice"
    return "nothing to transfer" if patient.run.accuracy < 15 else "healthy"
