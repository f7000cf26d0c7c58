"""The list of the data sets: what each one is, where it comes from, what its file must hash to.

A new data set is one more `Entry` in `ENTRIES`: a file to download (with its URLs, size and
SHA-256), an archive (``unpack=True``), or a file that an installed package carries
(``carrier="sklearn"``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import loaders, photos


@dataclass(frozen=True)
class Entry:
    """What the registry knows about one data set.

    Attributes
    ----------
    name : str
        What `load` and `fetch` are called with.
    description : str
        What the data are, and how they are split.
    licence : str
        The licence of the data.
    citation : str
        Whom to cite.
    filename : str
        The file's name; for an embedded one, its path inside the package `carrier`, which can be
        a folder.
    size : int
        The file's size in bytes.
    known_hash : str
        The file's SHA-256 (hexadecimal). For a file that another package carries, that of the
        arrays in it, since a new release may pack the same arrays into other bytes. Where a
        publisher gives only an MD5: that, after ``md5:``, as pooch writes it.
    urls : tuple of str
        Where the file can be downloaded, in the order to try. Empty when it is embedded.
    carrier : str or None
        The installed package that carries the file; None when it is downloaded.
    loader : callable or None
        Takes the file's path and returns the fields of a `Dataset`. None for a plain file,
        such as weights.
    layout : callable or None
        Takes the path of a file in ``TRANSFER_LIB_DATA`` and raises `CorruptFileError` unless
        it holds what it should. None: that file must have the known hash.
    unpack : bool
        True for an archive: `fetch` returns the folder of its members.
    alternative : str or None
        The embedded data set that stands in for this one without a network.
    """

    name: str
    description: str
    licence: str
    citation: str
    filename: str
    size: int
    known_hash: str
    urls: tuple[str, ...] = ()
    carrier: str | None = None
    loader: Callable[[Path], dict] | None = None
    layout: Callable[[Path], None] | None = None
    unpack: bool = False
    alternative: str | None = None

    @property
    def embedded(self) -> bool:
        """True when the data come with an installed package: no network is needed."""
        return self.carrier is not None


def _vgg16(name: str, part: str, filename: str, **file) -> Entry:
    """Return the entry of a weight file of Keras's VGG16, at both addresses that Keras used."""
    return Entry(
        name=name,
        description=f"The weights of VGG16 trained on ImageNet, {part}: "
        f"keras.applications.VGG16(weights=data.fetch({name!r}), ...).",
        licence="CC BY 4.0",
        citation="Simonyan and Zisserman (2015). Very deep convolutional networks for large-scale "
        "image recognition. ICLR. https://arxiv.org/abs/1409.1556",
        filename=filename,
        urls=(
            f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{filename}",
            "https://github.com/fchollet/deep-learning-models/releases/download/v0.1/" + filename,
        ),
        **file,
    )


_ALL = (
    Entry(
        name="digits",
        description="1,797 real handwritten digits of 13 people, scanned, 8 x 8, values 0 to 16. "
        "Half of each class is the test part, chosen once at random. Who wrote which digit is not "
        "recorded, so the same hand can be in both parts.",
        licence="CC BY 4.0",
        citation="Alpaydin and Kaynak (1998). Optical Recognition of Handwritten Digits. UCI "
        "Machine Learning Repository. https://doi.org/10.24432/C50P49",
        carrier="sklearn",
        filename="datasets/data/digits.csv.gz",
        size=57_523,
        known_hash=loaders.DIGITS_SHA256,
        loader=loaders.load_digits,
    ),
    Entry(
        name="font_digits",
        description="16,000 digits drawn from 22 of matplotlib's fonts with random pen, slant, "
        "width and distortion, 8 x 8, values 0 to 16. The test part is the DejaVu Serif family: "
        "no training image has its shapes.",
        licence="the images: that of this project; the fonts: Bitstream Vera, STIX, BaKoMa",
        citation="Made by tools/make_font_digits.py from the fonts of Hunter (2007). Matplotlib. "
        "https://doi.org/10.1109/MCSE.2007.55",
        carrier="transfer_lib",
        filename="data/files/font_digits.npz",
        size=423_003,
        known_hash="ad03a80747b2cabb2568a0726373d28cd154eb681111a47950dfa3bfce44f706",
        loader=loaders.load_font_digits,
    ),
    Entry(
        name="faces",
        description="200 grey crops of photographs, 25 x 25, values 0 to 255: 100 faces and 100 "
        "pieces of background. Half of each class is the test part, chosen once at random. Who is "
        "shown is not recorded, so the same person can be in both parts.",
        licence="none stated; published for research",
        citation="Huang, Mattar, Lee and Learned-Miller (2012). Learning to align from scratch. "
        "NeurIPS 25. Photographs: Labeled Faces in the Wild, http://vis-www.cs.umass.edu/lfw/",
        carrier="skimage",
        filename="data/lfw_subset.npy",
        size=1_000_080,
        known_hash=photos.FACES_SHA256,
        loader=photos.load_faces,
    ),
    Entry(
        name="photo_patches",
        description="900 grey patches of ten photographs, 32 x 32, values 0 to 255; the class is "
        "the photograph. 45 patches of each come from its left part, to train, and 45 from its "
        "right part, to test; 16 pixels between the parts are in neither. Flat patches are left "
        "out.",
        licence="CC0 or public domain",  # each photograph's own: skimage.data's docstrings
        citation="scikit-image's photographs: astronaut (NASA), Bricks25 and Gravel04 (CC0 "
        "Textures), camera (Lav Varshney), Chelsea the cat (Stefan van der Walt), cell (Mueller et "
        "al., 2018, https://doi.org/10.1364/OE.26.010729), coffee (Rachel Michetti), coins "
        "(Brooklyn Museum), Grass 01 (linolafett), immunohistochemistry (CMMI). "
        "Van der Walt et al. (2014). scikit-image. https://doi.org/10.7717/peerj.453",
        carrier="skimage",
        filename="data",
        size=2_784_983,
        known_hash=photos.PATCHES_SHA256,
        loader=photos.load_photo_patches,
    ),
    Entry(
        name="mnist",
        description="70,000 handwritten digits, 28 x 28, values 0 to 255: 60,000 to train and "
        "10,000 to test, by different writers.",
        licence="CC BY-SA 3.0",
        citation="LeCun, Cortes and Burges. The MNIST database of handwritten digits.",
        filename="mnist.npz",
        size=11_490_434,
        known_hash="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        urls=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            "https://s3.amazonaws.com/img-datasets/mnist.npz",
        ),
        loader=loaders.load_mnist,
        layout=loaders.check_mnist,
        alternative="font_digits",
    ),
    Entry(
        name="flowers",
        description="3,670 photographs of flowers in five folders: daisy, dandelion, roses, "
        "sunflowers and tulips. `fetch` returns the folder that holds flower_photos.",
        licence="CC BY 2.0",  # LICENSE.txt in the archive names the photographer of each
        citation="The TensorFlow Team (2019). Flowers. https://www.tensorflow.org/datasets/"
        "catalog/tf_flowers",
        filename="flower_photos.tgz",
        size=228_813_984,
        known_hash="4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
        urls=(
            "https://storage.googleapis.com/download.tensorflow.org/example_images/"
            "flower_photos.tgz",
        ),
        unpack=True,
        alternative="photo_patches",
    ),
    Entry(
        name="sst2",
        description="68,221 sentences and phrases of film reviews with a label, negative or "
        "positive: 67,349 in train.tsv and 872 in dev.tsv, in the folder SST-2; the labels of its "
        "test.tsv are not public.",
        licence="none stated; published for research",
        citation="Socher et al. (2013). Recursive deep models for semantic compositionality over a "
        "sentiment treebank. EMNLP. In the form of GLUE: Wang et al. (2019), ICLR.",
        filename="SST-2.zip",
        size=7_439_277,
        known_hash="d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa",
        urls=("https://dl.fbaipublicfiles.com/glue/data/SST-2.zip",),
        unpack=True,
    ),
    _vgg16(
        "vgg16_imagenet",
        "with its top, which names one of 1,000 classes",
        filename="vgg16_weights_tf_dim_ordering_tf_kernels.h5",
        size=553_467_096,
        known_hash="md5:64373286793e3c8b2b4e3219cbf3544b",
    ),
    _vgg16(
        "vgg16_imagenet_notop",
        "without its top: the 13 convolutions",
        filename="vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        size=58_889_256,
        known_hash="bfe5187d0a272bed55ba430631598124cff8e880b98d38c9e56c8d66032abdc1",
    ),
)
ENTRIES: dict[str, Entry] = {entry.name: entry for entry in _ALL}
