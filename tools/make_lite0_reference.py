"""Make tests/lite0_logits.npz: what the original EfficientNet-Lite0 says about two crops.

The original is PyTorch code. It is needed here only, so it is not among the requirements::

    pip install --no-deps efficientnet-lite-pytorch==0.1.0
    python tools/make_lite0_reference.py

With ``--check`` it prints how far ours is from them, on the backend of ``KERAS_BACKEND``;
`tests/test_networks.py` holds `transfer_lib.networks` to that.
"""

import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from scipy.special import log_softmax
from skimage import data

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from transfer_lib import networks  # noqa: E402

REFERENCE = ROOT / "tests" / "lite0_logits.npz"


def crops():
    """Return two crops of a photograph that is stored without loss, uint8 (2, 224, 224, 3)."""
    photo = data.astronaut()
    return np.stack([photo[:224, 110:334], photo[288:, 288:]])


def difference() -> float:
    """Return how far `transfer_lib.networks` is from the original, at most, in log-probability."""
    model = networks.load("efficientnet-lite0")
    scores = model.predict(networks.preprocess("efficientnet-lite0", crops()), verbose=0)
    logits = np.load(REFERENCE)["logits"].astype("float64")
    return float(np.abs(np.log(scores) - log_softmax(logits, axis=1)).max())


def main():
    """Run the original network and store its logits, or compare with them."""
    if "--check" in sys.argv:
        print(difference())
        return
    from efficientnet_lite_pytorch import EfficientNet

    weights = metadata.distribution(networks.PACKAGE).locate_file(networks.WEIGHTS)
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(weights)).eval()
    x = (torch.tensor(crops()).permute(0, 3, 1, 2).float() - 127) / 128
    with torch.no_grad():
        np.savez_compressed(REFERENCE, logits=model(x).numpy())
    print(f"{REFERENCE}: {REFERENCE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
