# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 03; what a convolution is" engine="keras"
# # 04. VGG16: features
#
# The usual recipe of transfer learning: take a large network, cut off its head, keep the rest. You
# will follow it with two networks, look at what they compute, and find out which layer is worth
# taking. Afterwards you can
#
# - feed a pretrained network what it expects, and notice when somebody did not;
# - cut a network at any layer, and say what its blocks keep of a picture;
# - compute features once, store them, and train on them in seconds;
# - choose the layer for your own pictures without looking at the test set.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("04")
ex = course.exercises

# %% [markdown]
# Three questions first. They come back at the end, and then they count.

# %%
ex.before("q_elephant", "q_silent", "q_layer")

# %% tags=["keep"]
import keras
import numpy as np
import pandas as pd
from IPython.display import display
from PIL import Image, ImageOps
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm.auto import tqdm
from tqdm.keras import TqdmCallback

from transfer_lib import data, images, networks, plots
from transfer_lib.claims import claim
from transfer_lib.data import photo_sets, pieces

# %% [markdown]
# ## 1. A network that knows 1,000 things
#
# EfficientNet-Lite0 was trained on ImageNet: 1.3 million photographs of 1,000 kinds, cut square.


# %% tags=["keep"]
def square(picture, size):
    """Return the middle square of a picture, smoothly resized: RGB, uint8, (size, size, 3)."""
    small = ImageOps.fit(Image.fromarray(picture), (size, size), Image.Resampling.BICUBIC)
    return np.asarray(small.convert("RGB"))


# %%
photos = {name: square(photo, 224) for name, photo in pieces.photographs().items()}
plots.image_grid(np.stack(list(photos.values())), list(photos), ncols=5)

# %% [markdown]
# It has no class for four of these ten. Which four? Guess, then run.

# %%
whole = networks.load("efficientnet-lite0")
NAMES = networks.class_names("efficientnet-lite0")


def top_three(picture):
    """Return the three most probable of the 1,000 classes of a picture, in words."""
    x = networks.preprocess("efficientnet-lite0", square(picture, 224)[None])
    p = whole.predict(x, verbose=0)[0]
    return [f"{NAMES[i].split(',')[0]} {p[i]:.0%}" for i in p.argsort()[:-4:-1]]


# %% tags=["nbval-ignore-output"]
answers = {name: top_three(photo) for name, photo in photos.items()}
pd.DataFrame(answers, index=["first", "second", "third"]).T

# %% [markdown]
# No class is called *galaxy*, *person*, *retina* or *tissue*, and it cannot say "none of these": its
# 1,000 probabilities sum to 1 whatever it sees.
#
# **Your own picture.** It stays on this machine. What appears is what the network sees.


# %%
def show(name, pixels):
    """Show one uploaded picture as the network sees it, and its three classes."""
    print(f"{name}: {', '.join(top_three(pixels))}")
    display(plots.image_grid(square(pixels, 224)[None], ["the network's view"], title=name))


images.upload_button(show)

# %% [markdown]
# ### Predicting is not yet transferring
#
# One of the articles that this course grew from ends here. Its code for "transfer learning":
#
# ```python
# model = VGG16(weights='imagenet')
# x = preprocess_input(x)              # elephant.jpg
# preds = model.predict(x)
# print('Predicted:', decode_predictions(preds, top=3)[0])
# ```
#
# It runs. But an elephant is one of the 1,000 classes: source task and target task are the same, and
# nothing is learned. Transfer begins when your classes are others. Then the last layer is of no use,
# and the question is what stands before it.
#
# ## 2. The input it expects
#
# **Preprocessing** turns pixels into what a network was trained on. Each wants its own:
#
# - EfficientNet-Lite0: red, green, blue, from -1 to 1: `(pixels - 127) / 128`;
# - VGG16, trained in 2014 with the library Caffe: blue, green, red, from 0 to 255, minus the mean of
#   each channel, that is of each colour, over ImageNet.
#
# ### Exercise: VGG16's input, by hand
#
# RGB pixels from 0 to 255 come in, float32 goes out. Leave the array that was passed in as it is.

# %%
MEAN = np.array([103.939, 116.779, 123.68], "float32")  # of blue, green, red


# %% exercise="04.preprocess"
def preprocess(x):
    """Return RGB images, shape (n, height, width, 3), as VGG16's input."""
    ### BEGIN SOLUTION
    bgr = x[..., ::-1]
    return bgr.astype("float32") - MEAN
    ### END SOLUTION


ex.preprocess.check(preprocess)

# %% [markdown]
# What if it is wrong? Four mistakes with EfficientNet-Lite0. Which one will you notice at once, and
# which one hardly at all?

# %% tags=["nbval-ignore-output"]
four = ["cat", "coffee", "motorcycle", "palace"]
pixels = np.stack([photos[name] for name in four]).astype("float32")
inputs = {
    "right": (pixels - 127) / 128,
    "from 0 to 1": pixels / 255,
    "from 0 to 255": pixels,
    "preprocessed twice": ((pixels - 127) / 128 - 127) / 128,
    "blue, green, red": (pixels[..., ::-1] - 127) / 128,
}
first = {}
for mistake, x in inputs.items():
    p = whole.predict(x, verbose=0)
    first[mistake] = [f"{NAMES[row.argmax()].split(',')[0]} {row.max():.0%}" for row in p]
pd.DataFrame(first, index=four).T

# %% [markdown]
# Nothing crashes, and that is the trouble. *From 0 to 1* and *blue, green, red* even keep some right answers: the
# project works, only worse than it could, for ever. Two numbers find most of it.
#
# ### Exercise: diagnose
#
# Somebody hands you the input of an EfficientNet-Lite0: a batch of photographs, each with dark and
# bright places. What was done to it? Print `x.min()` and `x.max()` for the rows above, then decide.


# %% exercise="04.diagnose"
def diagnose(x):
    """Return "right", "0 to 1", "0 to 255" or "twice" for a batch of inputs."""
    ### BEGIN SOLUTION
    if x.max() > 2:
        return "0 to 255"
    if x.max() < -0.9:
        return "twice"
    if x.min() >= 0:
        return "0 to 1"
    return "right"
    ### END SOLUTION


ex.diagnose.check(diagnose)

# %% [markdown]
# No such check finds *blue, green, red*: those are pixels, too. So keep pictures as `uint8` RGB until
# the last moment, and then call the `preprocess_input` of the very network that you use, once.
#
# ## 3. Look inside
#
# VGG16 has 13 convolutional layers in five **blocks**; each block ends by halving height and width. The course has a
# quarter-width copy of it, VGG16Mini, trained on 49,000 of the small photographs of CIFAR-10: airplane, automobile,
# bird, cat, deer, dog, frog, horse, ship, truck.
#
# Below: one photograph, and in each block the four **channels** that vary most over it. A channel of a layer is
# what one of its filters puts out, one number for each place. It is drawn as a share of its strongest response to
# any of the ten photographs, so all panels have one scale. From which block on can you no longer say *what* is
# shown? *Where* it is?

# %%
mini = networks.load("vgg16-mini", include_top=False)
BLOCKS = [f"block{number}_pool" for number in (1, 2, 3, 4, 5)]
viewer = keras.Model(mini.input, [mini.get_layer(name).output for name in BLOCKS])
small = np.stack([square(photo, 128) for photo in photos.values()])
maps = viewer.predict(networks.preprocess("vgg16-mini", small), verbose=0)


# %% tags=["hide-input", "nbval-ignore-output"]
def draw_blocks(photo):
    number = list(photos).index(photo)
    fig, axes = plots.figure(
        f"{photo}, and four channels of each of five blocks. Contours are sharp in blocks 1 and 2; "
        "blocks 4 and 5 are 8 and 4 places wide.",
        *(4, 6),
        figsize=(8.6, 5.9),
    )
    for row in range(4):
        axes[row, 0].set_axis_off()
    axes[0, 0].imshow(small[number])
    axes[0, 0].set_title(photo)
    for column, block in enumerate(maps, 1):
        shares = block[number] / (block.max(axis=(0, 1, 2)) + 1e-6)
        for row, channel in enumerate(np.argsort(-shares.std(axis=(0, 1)))[:4]):
            drawn = axes[row, column].imshow(shares[..., channel], cmap="cividis", vmin=0, vmax=1)
            axes[row, column].set_axis_off()
        side = block.shape[1]
        axes[0, column].set_title(f"block {column}: {side} × {side}", fontsize=9)
    fig.colorbar(drawn, ax=axes[:, 0], location="left", label="Share of strongest response")
    return fig


plots.interactive(draw_blocks, photo=["rocket", *(name for name in photos if name != "rocket")])

# %% [markdown]
# Early blocks keep edges, spots and colours at their places. Late blocks have few places left and many
# channels, shaped for one purpose: to tell the source's classes apart.
#
# ### Exercise: cut the network
#
# A map of 4 × 4 places and 64 channels becomes a vector of 64 numbers when each channel is replaced by
# its mean: **global average pooling**. Write the function that cuts a network after a named layer and
# pools. A Keras model has `.input` and `.get_layer(name)`; a layer has `.output`.


# %% tags=["keep"] exercise="04.cut"
def cut(base, layer_name):
    """Return a model: images in, the pooled output of the named layer out, with base's weights."""
    ### BEGIN SOLUTION
    output = base.get_layer(layer_name).output
    pooled = keras.layers.GlobalAveragePooling2D()(output)
    return keras.Model(base.input, pooled)
    ### END SOLUTION


ex.cut.check(cut)

# %% [markdown] tags=["optional"]
# ### Optional: what does it know? Ask for a picture
#
# Freeze the network and train the *pixels* until it is sure that they show a tiger cat. What will the
# picture look like?


# %%
class Pixels(keras.layers.Layer):
    """A layer that returns its weights: one picture, from -1 to 1."""

    def build(self, _shape):
        self.picture = self.add_weight(shape=(1, 128, 128, 3), initializer="random_normal")

    def call(self, _x):
        return keras.ops.clip(self.picture, -1, 1)


# %% tags=["nbval-ignore-output"]
WISH = "tiger cat"
keras.utils.set_random_seed(course.seed)
whole.trainable = False
painter = keras.Sequential([keras.Input((1,)), Pixels(), whole])
painter.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
label = np.array([[name.split(",")[0] for name in NAMES].index(WISH)])
painter.fit(np.zeros((1, 1)), label, epochs=60, verbose=0, callbacks=[TqdmCallback(verbose=0)])
picture = keras.ops.convert_to_numpy(painter.layers[0](np.zeros((1, 1))))
sure = painter.predict(np.zeros((1, 1)), verbose=0)[0, label[0]]
plots.image_grid((picture + 1) / 2, [f"{WISH}: {sure:.1%}"], title="Trained pixels")

# %% [markdown]
# It is sure, and you see noise. It learned what tells its 1,000 classes apart in photographs, not what a
# cat is; far from photographs a high probability means nothing (Nguyen, Yosinski and Clune, 2015).

# %% [markdown]
# ## 4. Extract once, store, train in seconds
#
# Three targets, none of them a task that the networks were trained for:
#
# - *patches*: from which of ten photographs is this grey patch? (Left halves to train, right to test.)
# - *digits*: ten handwritten digits of MNIST.
# - *faces*: a face, or a face whose four quarters have changed places?


# %% tags=["keep"]
class Target:
    """A few images of a data set: x_train, y_train, x_test, y_test and class_names."""

    def __init__(self, name, train=20, test=25, scale=1):
        self.scale = scale  # how much larger than usual its images are shown to the networks
        full = photo_sets.load(name) if name in photo_sets.DESCRIPTIONS else data.load(name)
        self.class_names = full.class_names
        for part, count in (("train", train), ("test", test)):
            x, y = getattr(full, f"x_{part}"), getattr(full, f"y_{part}")
            rows = [np.flatnonzero(y == k)[:count] for k in range(len(full.class_names))]
            setattr(self, f"x_{part}", x[np.concatenate(rows)])
            setattr(self, f"y_{part}", y[np.concatenate(rows)])


# %%
targets = {"patches": Target("photo_patches"), "digits": Target("mnist_5000")}
targets["faces"] = Target("shuffled_faces", 50, 50)
if not course.quick:
    targets["CIFAR-10"] = Target("cifar10")
if not course.quick or photo_sets.given("ants_bees"):
    targets["ants and bees"] = Target("ants_bees", 100, 75, scale=2)

# %% tags=["hide-input", "nbval-ignore-output"]
shown, words = [], []
for target in targets.values():
    for i in range(4):
        k = i * len(target.class_names) // 4
        row = np.flatnonzero(target.y_train == k)[i]
        shown.append(square(target.x_train[row], 64))
        words.append(target.class_names[k])
plots.image_grid(np.stack(shown), words, ncols=4, title="Four examples of each target")

# %% [markdown]
# One model gives all layers at once. VGG16Mini sees 32 pixels, EfficientNet-Lite0 sees 64: a twelfth of the pixels
# of 224. The full profile adds VGG16 itself, and two targets that are a source as well: VGG16Mini was trained on
# CIFAR-10, and the ants and bees are a part of ImageNet. There these networks meet classes that they know.

# %%
from transfer_lib.taught.lesson_04 import cut

# %% tags=["keep"]
LAYERS = {
    "vgg16-mini": [f"block{k}_pool" for k in range(1, 6)],
    "efficientnet-lite0": [
        *("block1a_project_bn", "block2b_add", "block3b_add", "block4c_add"),
        *("block5c_add", "block6d_add", "block7a_project_bn", "top_activation"),
    ],
}
SIZES = {"vgg16-mini": 32, "efficientnet-lite0": 64}


def all_layers(name, trained=True):
    """Return the network with one output for each of its LAYERS, pooled."""
    base = networks.load(name, include_top=False, trained=trained)
    return keras.Model(base.input, [cut(base, layer).output for layer in LAYERS[name]])


def extract(model, name, x, scale=1):
    """Return the features of images, one array (n, channels) for each output of the model."""
    x = np.stack([square(image, int(scale * SIZES[name])) for image in x])
    return model.predict(networks.preprocess(name, x), batch_size=50, verbose=0)


# %%
features = {}  # (target, network, trained, part): one array for each layer
if not course.quick:
    LAYERS["vgg16"], SIZES["vgg16"] = LAYERS["vgg16-mini"], 64


def run_over_all(name, trained):
    """Run one network over the images of all targets; the features go into `features`."""
    model = all_layers(name, trained)
    for target, t in tqdm(targets.items(), desc=name):
        for part, x in (("train", t.x_train), ("test", t.x_test)):
            features[target, name, trained, part] = extract(model, name, x, t.scale)


# %% tags=["nbval-ignore-output"]
for name in LAYERS:
    run_over_all(name, trained=True)

# %% [markdown]
# Every network runs over every image *once*, and so does its control: the same network **untrained**.

# %% tags=["nbval-ignore-output"]
keras.utils.set_random_seed(course.seed)
for name in LAYERS:
    run_over_all(name, trained=False)

# %% [markdown]
# That was the expensive part. From here on a classifier is trained on stored numbers, in milliseconds. With
# the frozen network inside, training would run all its layers again in every epoch.
#
# ### Exercise: the cache
#
# Keep features between sessions: compute them the first time, read them from `folder` afterwards. Other
# images need other features, and so does another `recipe`: a text such as `"vgg16-mini, block3_pool"`.


# %% exercise="04.cached"
def cached(folder, images, recipe, compute):
    """Return compute(images), an array; computed once for these images and this recipe."""
    ### BEGIN SOLUTION
    import hashlib

    key = hashlib.sha256(images.tobytes() + recipe.encode()).hexdigest()
    path = folder / f"{key}.npy"
    if not path.exists():
        np.save(path, compute(images))
    return np.load(path)
    ### END SOLUTION


ex.cached.check(cached)

# %% [markdown]
# ## 5. Which layer?
#
# Most articles take the last one and do not ask. Decide before you measure:

# %%
ex.q_forecast.ask(...)

# %% [markdown]
# A **linear probe** tells how much of the answer can be read from features by weighted sums. Two more
# controls use no network at all: the *pixels*, and a *gradient histogram* (HOG), which counts in each
# part of an image how many edges run in which direction. Before 2012 machines found people that way.


# %% tags=["keep"]
from skimage.feature import hog


def probe(x, y, x_test, y_test):
    """Fit logistic regression to features; return its accuracy on test features, percent."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=0.01))
    return 100 * model.fit(x, y).score(x_test, y_test)


def pixels_of(x):
    """Return the grey values of images at 32 pixels, one row each."""
    return np.stack([square(image, 32).mean(axis=2).ravel() for image in x])


def hog_of(x):
    """Return a gradient histogram of each image at 32 pixels."""
    grey = pixels_of(x).reshape(-1, 32, 32)
    return np.stack([hog(image, 8, (8, 8), (2, 2)) for image in grey])


def mean_accuracy(target, train, test, per_class, seed, draws=4):
    """Return the mean accuracy of probes on `draws` draws of labels, percent."""
    size = per_class * len(target.class_names)
    split = StratifiedShuffleSplit(draws, train_size=size, random_state=seed)
    y = target.y_train
    rows = [rows for rows, _ in split.split(y, y)]
    return np.mean([probe(train[r], y[r], test, target.y_test) for r in rows])


# %% tags=["nbval-ignore-output"]
COUNTS = (5, 15)
scores, controls = {}, {}  # accuracies by number of labels
for (target, name, trained, part), train in tqdm(features.items(), desc="probes"):
    if part == "train":
        test = features[target, name, trained, "test"]
        for k in COUNTS:
            pairs = [(targets[target], a, b, k, course.seed) for a, b in zip(train, test)]
            scores[target, name, trained, k] = [mean_accuracy(*pair) for pair in pairs]
for target, t in targets.items():
    for name, function in (("pixels", pixels_of), ("HOG", hog_of)):
        train, test = function(t.x_train), function(t.x_test)
        for k in COUNTS:
            controls[target, name, k] = mean_accuracy(t, train, test, k, course.seed)


# %% tags=["hide-input", "nbval-ignore-output"]
def draw_layers(count):
    fig, axes = plots.figure(None, 1, len(targets), sharey=True, figsize=(10.5, 4))
    for ax, target in zip(axes, targets, strict=True):
        for colour, marker, name in zip(plots.COLORS, "os^", LAYERS):
            for trained, style in ((True, "-"), (False, ":")):
                line = scores[target, name, trained, count]
                label = name + ("" if trained else ", untrained")
                depth = np.linspace(0, 1, len(line))
                ax.plot(depth, line, style, marker=marker, ms=4, color=colour, label=label)
        for style, name in (("--", "HOG"), ("-.", "pixels")):
            ax.axhline(controls[target, name, count], ls=style, color="0.35", lw=1.2, label=name)
        ax.set(title=target, xlabel="Depth (share of the blocks)", ylim=(0, 101))
    axes[0].set_ylabel("Accuracy (%)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


plots.interactive(draw_layers, count=list(COUNTS), descriptions={"count": "Labels per class"})

# %% tags=["hide-input"]
claim("04.pretraining")
claim("04.mini-early")
claim("04.lite0-late")
claim("04.faces-late")
claim("04.hog")

# %% [markdown]
# Turn the knob, then read the panels one by one.
#
# - *Patches*: VGG16Mini is best early or in the middle, and its last block, which most articles would
#   take, loses. EfficientNet-Lite0 is best late. "Early layers transfer better" is a fact about a small
#   network trained on ten classes, not a law.
# - *Faces*: both are best late. To see that an eye stands below the mouth, a number must depend on both.
# - *Digits*: HOG, which was trained on nothing, keeps up with VGG16Mini's best block or passes it.
#   Pretraining is not always worth its name.
# - *Untrained* networks beat the pixels on the patches: filters and averages are worth something by
#   themselves. What pretraining added is the distance from the *dotted* line, not from zero.
#
# ### Exercise: choose without the test set
#
# The figure used the test labels, to show you all. You will have none to spare. **Cross-validation** trains
# on four fifths of your labels and tests on the fifth left out, five times: `cross_val_score(model, x, y,
# cv=5)` returns the five accuracies.


# %% tags=["keep"] exercise="04.choose"
def choose(layers, y):
    """Return the number of the best layer; layers is a list of arrays, one row for each label."""
    ### BEGIN SOLUTION
    means = []
    for x in layers:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=0.01))
        means.append(cross_val_score(model, x, y, cv=5).mean())
    return int(np.argmax(means))
    ### END SOLUTION


ex.choose.check(choose)

# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_04 import choose

table = []
for target, t in targets.items():
    for name in LAYERS:
        stored = features[target, name, True, "train"]
        number = choose(stored, t.y_train)
        tested = scores[target, name, True, COUNTS[-1]]
        table.append([target, name, LAYERS[name][number], tested[number], tested[-1], max(tested)])
columns = ["target", "network", "chosen", "its accuracy (%)", "last (%)", "best of all (%)"]
pd.DataFrame(table, columns=columns).round(1)

# %% tags=["hide-input"]
claim("04.choose")

# %% [markdown]
# *Best of all* looked at the test set, so it flatters; *chosen* did not. On stored features it costs seconds.
#
# ## What you know now
#
# The three questions again.

# %%
ex.q_elephant.ask(...)

# %%
ex.q_silent.ask(...)

# %%
ex.q_layer.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A network that names an elephant has predicted. Transfer begins when your classes are not its own.
# - Wrong preprocessing crashes nothing. Look at minimum and maximum, and call the network's own function once.
# - Features of a frozen network are computed once and stored, under a key of images and recipe.
# - Which layer is best depends on network *and* target. Cross-validation on your labels chooses.
# - What pretraining is worth shows against the same network untrained, and against HOG.
#
# **Next:** [lesson 05](05_vgg16_finetuning.ipynb) trains the network itself, and tests honestly.
#
# ## Sources
#
# - Networks: Simonyan and Zisserman (2015), [VGG16](https://arxiv.org/abs/1409.1556); Tan and Le (2019),
#   [EfficientNet](https://arxiv.org/abs/1905.11946). Photographs: Krizhevsky (2009), CIFAR-10; Deng et
#   al. (2009), [ImageNet](https://doi.org/10.1109/CVPR.2009.5206848).
# - Which layer: Donahue et al. (2014), [DeCAF](https://arxiv.org/abs/1310.1531), where late layers of a large
#   network were best; Yosinski et al. (2014), [How transferable?](https://arxiv.org/abs/1411.1792); Alain and
#   Bengio (2017), [linear probes](https://arxiv.org/abs/1610.01644); Dalal and Triggs (2005),
#   [HOG](https://doi.org/10.1109/CVPR.2005.177).
# - Nguyen, Yosinski and Clune (2015), [easily fooled](https://arxiv.org/abs/1412.1897).
