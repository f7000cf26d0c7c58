# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 03" engine="keras"
# # 04. VGG16: features
#
# VGG16 (2014) is the network of most articles on transfer learning: plain, deep, and trained on a
# million photographs. You will look at what it computes, take its features for images that it was
# never trained on, and measure which of its layers are worth taking. What to put on top, and when to
# train it further, is the subject of [lesson 05](05_vgg16_finetuning.ipynb).
#
# ## What you will be able to do
#
# - feed a pretrained network what it expects, and notice when you do not;
# - say what each block of VGG16 keeps of an image, and what it loses;
# - extract features once, store them, and train a classifier on them in seconds;
# - find the layer that transfers best to your images, against honest controls.
#
# Terms are collected in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("04")
ex = course.exercises

# %% tags=["keep"]
import time

import keras
import numpy as np

from transfer_lib import claim, data, images, plots, vgg16_mini

keras.utils.set_random_seed(course.seed)
rng = np.random.default_rng(course.seed)

# %% [markdown]
# ## 1. A network that knows its classes
#
# VGG16 has 13 convolutional layers in five **blocks** (卷积块), then three dense layers. The
# original has 138 million parameters, takes 224 × 224 pixels, and was trained on **ImageNet**
# (ImageNet 数据集): over a million photographs in 1,000 classes. That is the full profile.
#
# The quick profile has a quarter-width copy with the same layers under the same names, for
# 32 × 32 pixels. The course trained it on CIFAR-10: 50,000 photographs in ten classes. From here on
# both go by the name `network`, and the code is the same.

# %%
network = vgg16_mini if course.quick else keras.applications.vgg16
SIZE = 32 if course.quick else 224

if course.quick:
    classifier = network.VGG16Mini(weights="cifar10")
else:
    classifier = network.VGG16(weights=str(data.fetch("vgg16_imagenet")))
print(
    f"{classifier.name}: {classifier.count_params():,} parameters, {len(classifier.layers)} layers"
)

# %% [markdown]
# We show it photographs that come with scikit-image. It was trained on none of them. Each is cut to
# its middle square and made small, *smoothly*: every new pixel averages the old ones around it, or
# fine detail would turn into noise.

# %% tags=["keep"]
from skimage import data as photographs
from skimage.transform import resize


def rgb(picture):
    """Return pixels from 0 to 255 with three channels: grey pictures and masks are repeated."""
    if picture.dtype == bool:
        picture = picture.astype("uint8") * 255
    return picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)


def square(picture, size):
    """Cut out the middle square and resize it; uint8, shape (size, size, 3)."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = picture[top : top + side, left : left + side, :3] / 255
    small = resize(middle, (size, size), anti_aliasing=True)
    return np.round(255 * small).clip(0, 255).astype("uint8")


# %%
PHOTOS = {
    "cat": photographs.chelsea(),
    "horse": photographs.horse(),
    "rocket": photographs.rocket(),
    "coffee": photographs.coffee(),
    "astronaut": photographs.astronaut(),
    "cameraman": photographs.camera(),
    "coins": photographs.coins(),
    "grass": photographs.grass(),
}
photos = np.stack([square(rgb(photo), SIZE) for photo in PHOTOS.values()])
plots.image_grid(photos, list(PHOTOS), ncols=4, title="What the network sees")

# %% [markdown]
# Three calls make a prediction: `preprocess_input` turns pixels into the network's input, `predict`
# gives probabilities, `decode_predictions` names the largest.


# %%
def top_three(pictures):
    """Return the three most probable classes of each picture, as (name, probability)."""
    inputs = network.preprocess_input(pictures.astype("float32"))
    decoded = network.decode_predictions(classifier.predict(inputs, verbose=0), top=3)
    return [[(name, float(probability)) for _, name, probability in best] for best in decoded]


answers = dict(zip(PHOTOS, top_three(photos)))
for name, best in answers.items():
    print(f"{name:>10}: " + ", ".join(f"{label} {value:.2f}" for label, value in best))

# %%
if course.quick:
    claim(
        "04.cat-and-horse",
        "The cat is called a cat, and the horse, a mere silhouette, a horse, each with at least 0.5.",
        min(dict(answers[name]).get(name, 0.0) for name in ("cat", "horse")),
        at_least=0.5,
    )

# %% [markdown]
# CIFAR-10 has the classes airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck.
# The softmax divides a probability of 1 among these ten, so a rocket, a cup and a person must be one
# of them too. The network has no way to say "none of these".

# %%
ex.q_rocket.ask(...)

# %% [markdown]
# **Your own picture.** Click the button and choose an image file. It stays on this machine. Where
# buttons do not run, the table above shows what the answer looks like.


# %%
def show(name, pixels):
    """Predict one uploaded picture."""
    best = top_three(square(pixels, SIZE)[None])[0]
    print(f"{name}: " + ", ".join(f"{label} {value:.2f}" for label, value in best))


images.upload_button(show)

# %% [markdown]
# ## 2. The input it expects
#
# **Preprocessing** (预处理) is the commonest mistake with pretrained networks, because nothing
# crashes. VGG16 was trained with the library Caffe and expects what Caffe gave it: channels in the
# order blue, green, red (BGR), from 0 to 255, minus the mean of each channel over ImageNet. Other
# networks expect other things.
#
# Three usual mistakes, made by hand:

# %%
MEAN = np.array([103.939, 116.779, 123.68], "float32")  # blue, green, red
pixels = photos.astype("float32")
bgr = pixels[..., ::-1]

inputs = {
    "right": network.preprocess_input(pixels.copy()),
    "pixels from 0 to 1": pixels / 255,
    "RGB for BGR": pixels - MEAN[::-1],
    "preprocessed twice": (bgr - MEAN)[..., ::-1] - MEAN,
}
answer = {}
for mistake, x in inputs.items():
    decoded = network.decode_predictions(classifier.predict(x, verbose=0), top=1)
    answer[mistake] = [best[0][1] for best in decoded]

print(" " * 19 + "".join(f"{name:>12}" for name in PHOTOS))
for mistake, words in answer.items():
    print(f"{mistake:>18} " + "".join(f"{word[:11]:>12}" for word in words))

# %%
if course.quick:
    claim(
        "04.zero-to-one",
        "Pixels from 0 to 1 get nearly one answer for all eight photographs: at most 2 differ.",
        len(set(answer["pixels from 0 to 1"])),
        at_most=2,
    )

# %% [markdown]
# To a network that expects values from about -124 to 151, pixels from 0 to 1 are all the same grey.
# The other two mistakes are harder to see: some answers even stay right. Every line ran without a
# complaint. A check of the values finds the first and the last before they do harm:

# %%
for mistake, x in (("scaled", pixels / 255), ("twice", vgg16_mini.preprocess_input(pixels))):
    try:
        vgg16_mini.preprocess_input(x)
    except images.PictureError as error:
        print(f"{mistake}: {error}\n")

# %% [markdown]
# No check of values finds RGB for BGR: those are pixels, too.
# Keras's own `preprocess_input` refuses nothing. Two habits keep you safe: keep images as `uint8`
# RGB until the last moment, and call the `preprocess_input` of the very network that you use, once.
#
# ### Exercise: preprocess by hand
#
# Write what VGG16's `preprocess_input` does, in NumPy: RGB pixels from 0 to 255 in, float32 out.
# Leave the array that is passed in as it is.


# %% exercise="04.preprocess"
def preprocess(x):
    """Return RGB images, shape (n, height, width, 3), as VGG16's input."""
    ### BEGIN SOLUTION
    return x[..., ::-1].astype("float32") - MEAN
    ### END SOLUTION


ex.preprocess.check(preprocess)

# %% [markdown]
# ## 3. Look inside
#
# Without its dense layers, the network is a chain of blocks. Each convolution looks at 3 × 3 places
# of the layer before; each block ends with a pooling layer that halves height and width. The
# **receptive field** (感受野) is how wide a part of the image one number can depend on. Near the
# edges a part of it lies outside the image: with 44 pixels in an image of 32, the places in the
# middle see all of the image, those in the corners do not.


# %% tags=["keep"]
BLOCKS = [f"block{number}_pool" for number in range(1, 6)]


def load_base(quick, pretrained=True):
    """Return the convolutional blocks, frozen: of the small copy (quick) or of VGG16 itself."""
    if quick:
        weights = "cifar10" if pretrained else None
        base = vgg16_mini.VGG16Mini(False, weights=weights, input_shape=(32, 32, 3))
    else:
        weights = str(data.fetch("vgg16_imagenet_notop")) if pretrained else None
        base = keras.applications.VGG16(False, weights=weights, input_shape=(224, 224, 3))
    base.trainable = False
    return base


# %%
base = load_base(course.quick)
field, step = 1, 1  # pixels that one number sees; distance of neighbours, in pixels
for layer in base.layers[1:]:
    field += (2 if "conv" in layer.name else 1) * step
    step *= 1 if "conv" in layer.name else 2
    if layer.name in BLOCKS:
        height, width, channels = layer.output.shape[1:]
        print(f"{layer.name}: {height} × {width} places, {channels} channels, sees {field} pixels")

# %% [markdown]
# The first layer's filters can be drawn as small pictures, because its input has three channels:

# %% tags=["nbval-ignore-output"]
kernels = keras.ops.convert_to_numpy(base.get_layer("block1_conv1").kernel)
kernels = np.moveaxis(kernels, -1, 0)[:32, ..., ::-1]  # filters first, and BGR back to RGB
low, high = kernels.min(axis=(1, 2, 3), keepdims=True), kernels.max(axis=(1, 2, 3), keepdims=True)
shown = (kernels - low) / (high - low)  # each filter from 0 to 1
plots.image_grid(shown, range(1, len(shown) + 1), ncols=8, title="Filters of block1_conv1")

# %% [markdown]
# Edges, spots and colours: useful for any image. What later layers look for can no longer be drawn
# as a filter, but we can see where they respond. Here are the four channels of each block whose
# response varies most from place to place. Choose another photograph from the list.

# %%
viewer = keras.Model(base.input, [base.get_layer(name).output for name in BLOCKS])
maps = viewer.predict(network.preprocess_input(photos.astype("float32")), verbose=0)


# %% tags=["nbval-ignore-output"]
def draw_maps(photo):
    """Show the four channels of each block that differ most between places of a photograph."""
    number = list(PHOTOS).index(photo)
    sizes = ", ".join(f"block {k} has {m.shape[1]} by {m.shape[2]}" for k, m in enumerate(maps, 1))
    fig, axes = plots.figure(
        f"Activation maps of the {photo}: in each of five blocks, the four channels whose response "
        f"varies most from place to place. Yellow is a strong response, blue is none. "
        f"Places: {sizes}.",
        4,
        5,
        figsize=(8, 7),
    )
    for column, block_map in enumerate(maps):
        responses = block_map[number]
        one_place = responses.shape[:2] == (1, 1)
        ranked = responses[0, 0] if one_place else responses.std(axis=(0, 1))
        for row, channel in enumerate(np.argsort(-ranked)[:4]):
            axes[row, column].imshow(responses[..., channel], cmap="cividis", vmin=0)
            axes[row, column].set_axis_off()
        axes[0, column].set_title(f"block {column + 1}")
    fig.suptitle(f"{photo}: yellow is a strong response, blue is none")
    return fig


plots.interactive(draw_maps, photo=["horse", *(name for name in PHOTOS if name != "horse")])

# %% [markdown]
# From left to right, the maps say less about *where* and more about *what*. Block 1 is close to the
# pixels. In the quick profile, block 5 has a single place left, so each panel is one colour: 128
# numbers for the whole image, trained for one purpose, to tell the ten classes apart. What those classes do not need
# may be lost by then. Section 6 measures whether it is.
#
# ### Exercise: cut the network
#
# A feature map of 4 × 4 places and 64 channels becomes a vector of 64 numbers when each channel is
# replaced by its mean: **global average pooling** (全局平均池化). Write the function that cuts a
# network after a named layer and pools. The weights must be those of the network that is passed in.


# %% exercise="04.cut"
def cut(base, layer_name):
    """Return a model: images in, the pooled output of the named layer out."""
    ### BEGIN SOLUTION
    output = base.get_layer(layer_name).output
    return keras.Model(base.input, keras.layers.GlobalAveragePooling2D()(output))
    ### END SOLUTION


ex.cut.check(cut)

# %% [markdown]
# ## 4. Targets without many labels
#
# Two targets that the network was not trained for:
#
# - *faces*: is this grey crop a face or a piece of background?
# - *photo patches*: from which of ten photographs is this grey patch? The network was never shown
#   cells, coins or gravel, and the patches have no colour. In the full profile, five kinds of flowers
#   take their place.
#
# A grey image becomes RGB by repeating its channel.

# %%
TARGETS = ("faces", "photo_patches" if course.quick else "flowers")
MANY = TARGETS[1]  # the target with many classes


# %% tags=["keep"]
def load_target(name, size):
    """Return a dict of x_train, y_train, x_test, y_test (RGB pixels) and class_names."""
    if name == "flowers":
        loaded = images.read_folder(data.fetch(name) / "flower_photos", size=size)
    else:
        loaded = data.load(name)
    parts = {"class_names": loaded.class_names}
    for part in ("train", "test"):
        x, y = getattr(loaded, f"x_{part}"), getattr(loaded, f"y_{part}")
        rows = np.concatenate([np.flatnonzero(y == k)[:100] for k in np.unique(y)])
        parts[f"x_{part}"], parts[f"y_{part}"] = as_rgb(x[rows], size), y[rows]
    return parts


def as_rgb(x, size):
    """Return images as uint8 RGB of size × size pixels."""
    x = x if x.ndim == 4 else np.stack([x] * 3, axis=-1)
    if x.shape[1] != size:
        x = keras.ops.convert_to_numpy(keras.ops.image.resize(x.astype("float32"), (size, size)))
    return np.round(x).clip(0, 255).astype("uint8")


# %%
targets = {name: load_target(name, SIZE) for name in TARGETS}
for name, parts in targets.items():
    print(
        f"{name}: {len(parts['x_train'])} training and {len(parts['x_test'])} test images,",
        f"{len(parts['class_names'])} classes",
    )

# %%
many = targets[MANY]
first = [np.flatnonzero(many["y_train"] == k)[0] for k in range(len(many["class_names"]))]
faces = targets["faces"]
first_faces = [
    *np.flatnonzero(faces["y_train"] == 0)[:3],
    *np.flatnonzero(faces["y_train"] == 1)[:3],
]
shown = np.concatenate([faces["x_train"][first_faces], many["x_train"][first]])
names = [faces["class_names"][k] for k in faces["y_train"][first_faces]] + list(many["class_names"])
plots.image_grid(shown, names, ncols=8, title="Images of the two targets")

# %% [markdown]
# ## 5. Extract once, train in seconds
#
# The backbone is frozen (冻结), so an image has the same features in every epoch. Compute them
# once. One model returns all five blocks:

# %%
pool = keras.layers.GlobalAveragePooling2D
extractor = keras.Model(base.input, [pool()(base.get_layer(name).output) for name in BLOCKS])
prepare = network.preprocess_input


# %% tags=["keep"]
def extract(x, model, preprocess, size=64):
    """Return what the model computes for images, in portions so that memory stays small."""
    portions = [x[start : start + size].astype("float32") for start in range(0, len(x), size)]
    outputs = [model.predict(preprocess(portion), verbose=0) for portion in portions]
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)


# %%
features = {
    name: {part: extract(parts[f"x_{part}"], extractor, prepare) for part in ("train", "test")}
    for name, parts in targets.items()
}
for name, block in zip(BLOCKS, features[MANY]["train"]):
    print(f"{name}: {block.shape[0]} images, {block.shape[1]} features")

# %% [markdown]
# What does that save? Two ways to train the same **linear head**, one dense layer, with ten labels
# per class on the pooled features of block 3
# (of block 5 in the full profile; section 6 says how to choose):
#
# 1. the usual tutorial: frozen backbone and head in one model, so `fit` runs all layers in every
#    epoch;
# 2. the head alone, on the stored features.
#
# Both are timed in processor seconds, which other programs do not disturb.


# %% tags=["keep"]
def draw(y, per_class, rng):
    """Return the rows of `per_class` images of each class, drawn at random."""
    return np.concatenate(
        [rng.choice(np.flatnonzero(y == k), per_class, replace=False) for k in np.unique(y)]
    )


def compile_model(model, rate):
    """Choose optimiser, loss and metric. Needed again after each change of `trainable`."""
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


def share_right(model, x, y):
    """Return the accuracy of a model that gives logits."""
    return float(np.mean(model.predict(x, batch_size=256, verbose=0).argmax(axis=1) == y))


# %%
classes = len(many["class_names"])
y_many, y_test = many["y_train"], many["y_test"]
rows = draw(y_many, 10, rng)
x_ready = network.preprocess_input(many["x_train"][rows].astype("float32"))
CHOSEN = 3 if course.quick else 5  # the block that we use until section 6 compares them
chosen_map = base.get_layer(f"block{CHOSEN}_pool").output
EPOCHS = 10

whole = keras.Model(base.input, keras.layers.Dense(classes)(pool()(chosen_map)))
compile_model(whole, 1e-2)
whole.fit(x_ready, y_many[rows], batch_size=50, epochs=1, verbose=0)  # to warm up
start = time.process_time()
whole.fit(x_ready, y_many[rows], batch_size=50, epochs=EPOCHS, verbose=0)
rerun_seconds = (time.process_time() - start) / EPOCHS

# %%
stored = features[MANY]["train"][CHOSEN - 1][rows]
alone = keras.Sequential([keras.Input(stored.shape[1:]), keras.layers.Dense(classes)])
compile_model(alone, 1e-2)
alone.fit(stored, y_many[rows], batch_size=50, epochs=1, verbose=0)
start = time.process_time()
alone.fit(stored, y_many[rows], batch_size=50, epochs=EPOCHS, verbose=0)
stored_seconds = (time.process_time() - start) / EPOCHS

# %% tags=["nbval-ignore-output"]
print(f"an epoch with the backbone: {1000 * rerun_seconds:.0f} ms")
print(f"an epoch on stored features: {1000 * stored_seconds:.0f} ms")

# %%
claim(
    "04.stored",
    "An epoch on stored features takes at most half the time of one through the backbone.",
    stored_seconds / rerun_seconds,
    at_most=0.5,
)

# %% [markdown]
# This is with the small network; most of what is left is the overhead of `fit`. The head costs the
# same whatever the backbone is, so the larger the network and its images, the more is saved.
#
# ### Exercise: the cache
#
# Features are worth keeping between sessions. Write the function that computes them the first time
# and reads them from `folder` afterwards. Other images must get other features, even when there are
# as many of them.


# %% exercise="04.cached"
def cached(folder, images, compute):
    """Return compute(images), an array; computed once for these images, then read from disk."""
    ### BEGIN SOLUTION
    import hashlib

    path = folder / f"{hashlib.sha256(images.tobytes()).hexdigest()}.npy"
    if not path.exists():
        np.save(path, compute(images))
    return np.load(path)
    ### END SOLUTION


ex.cached.check(cached)

# %% [markdown]
# The same file is wrong for another network, another layer or another preprocessing. In a project,
# put their names into the key as well.
#
# ### New variants cannot be stored
#
# **Augmentation** (数据增强) shows a new variant of each image in every epoch. Then its features are
# new as well, and there is nothing to store: the backbone must run each time. Between the two lies a
# compromise: store the features of a few fixed variants. All three, on the same labels:

# %%
augment = keras.Sequential(
    [keras.layers.RandomFlip("horizontal"), keras.layers.RandomTranslation(0.1, 0.1, "nearest")]
)


# %% tags=["keep"]
def head_on(width, classes):
    """Return a linear head for features of this width; it starts at zero."""
    layer = keras.layers.Dense(classes, kernel_initializer="zeros")
    return keras.Sequential([keras.Input((width,)), layer])


def train_head(x, y, classes, epochs):
    """Train a linear head on features; return it."""
    head = head_on(x.shape[1], classes)
    compile_model(head, 3e-2)
    head.fit(x, y, batch_size=50, epochs=epochs, verbose=0)
    return head


def variants_of(x, model, augment, count):
    """Return what the model computes for random variants of preprocessed images."""
    augmented = [augment(x, training=True) for _ in range(count)]
    return [model.predict(keras.ops.convert_to_numpy(a), verbose=0) for a in augmented]


# %%
cut_model = keras.Model(base.input, pool()(chosen_map))
x_new = features[MANY]["test"][CHOSEN - 1]
table = {}

start = time.perf_counter()
head = train_head(stored, y_many[rows], classes, epochs=20)
table["stored, no variants"] = time.perf_counter() - start, share_right(head, x_new, y_test)

start = time.perf_counter()
variants = [stored, *variants_of(x_ready, cut_model, augment, 3)]
head = train_head(np.concatenate(variants), np.tile(y_many[rows], 4), classes, epochs=5)
table["stored, 3 fixed variants"] = time.perf_counter() - start, share_right(head, x_new, y_test)

start = time.perf_counter()
head = head_on(stored.shape[1], classes)
model = keras.Sequential([keras.Input(base.input_shape[1:]), augment, cut_model, head])
compile_model(model, 3e-2)
model.fit(x_ready, y_many[rows], batch_size=50, epochs=20, verbose=0)
table["new variants in each epoch"] = (
    time.perf_counter() - start,
    share_right(head, x_new, y_test),
)

# %% tags=["nbval-ignore-output"]
for name, (seconds, value) in table.items():
    print(f"{name:>27}: {seconds:5.1f} s, accuracy {value:.1%}")

# %% [markdown]
# Whether augmentation is worth its time is to be measured, too: compare the accuracies, and keep in
# mind that this is one draw of labels.

# %%
ex.q_augment.ask(...)

# %% [markdown]
# ## 6. Which layer transfers?
#
# Most articles take the last block and do not ask. Make your forecast before you measure: which
# block gives the best features for telling *faces* from background, with two labels per class?

# %% exercise="04.forecast"
forecast = (
    ### BEGIN SOLUTION
    3
    ### END SOLUTION
)

# %% [markdown]
# A **linear probe** (线性探针) answers it: a linear classifier on frozen features tells how much of
# the answer can be read from them by weighted sums, with this many labels. We use logistic
# regression, the same for every set of features, at 1 to 10 labels per class and with the same draws
# of labels for all. One number per set of features brings them to one scale.
#
# Three controls run beside the blocks. *Pixels* say what the features add. A *support vector
# machine on pixels* can draw curved boundaries: a control deserves a fair try. And the *untrained
# network* has the same layers with random weights: it says what comes
# from the architecture alone, and what from pretraining.

# %% tags=["keep"]
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


def linear_classifier():
    """Return logistic regression. PCA without a limit only turns the axes: it is found faster."""
    return make_pipeline(PCA(), LogisticRegression(tol=0.01, max_iter=1000))


def probe(x, y, x_test, y_test, classifier=None):
    """Fit a classifier on a few features; return its accuracy on the test features."""
    scale = x.std()
    model = classifier or linear_classifier()
    return model.fit(x / scale, y).score(x_test / scale, y_test)


# %% tags=["keep"]
def feature_sets(parts, blocks, others, preprocess):
    """Return the sets to compare for one target: name to (training, test).

    `blocks` are the stored features of its blocks, `others` are more models by name.
    """
    both = [parts[f"x_{part}"] for part in ("train", "test")]
    thin = both[0].shape[1] // 32
    colours = 1 if np.ptp(both[0], axis=-1).max() == 0 else 3  # grey images need one channel
    pixels = [x[:, ::thin, ::thin, :colours].reshape(len(x), -1) / 255 for x in both]
    pairs = zip(blocks["train"], blocks["test"], strict=True)
    sets = {f"block {number}": pair for number, pair in enumerate(pairs, 1)}
    for name, model in others.items():
        sets[name] = [extract(x, model, preprocess) for x in both]
    return sets | {"pixels": pixels}


# %%
from sklearn.svm import SVC

raw = load_base(course.quick, pretrained=False)
raw_map = raw.get_layer(f"block{CHOSEN}_pool").output
UNTRAINED = f"block {CHOSEN}, untrained"
untrained = {UNTRAINED: keras.Model(raw.input, pool()(raw_map))}

# %%
LABELS = (1, 2, 5, 10)  # per class
DRAWS = {"faces": 40, MANY: 12}  # with two classes and few labels, single draws differ most
curves, chosen = {}, {}
for name, parts in targets.items():
    y, y_new = parts["y_train"], parts["y_test"]
    sets = feature_sets(parts, features[name], untrained, prepare)
    chosen[name] = {k: [draw(y, k, rng) for _ in range(DRAWS[name])] for k in LABELS}
    curves[name] = {which: {k: [] for k in LABELS} for which in [*sets, "pixels, SVM"]}
    for k in LABELS:
        for rows in chosen[name][k]:
            for which, (x, x_new) in sets.items():
                curves[name][which][k].append(probe(x[rows], y[rows], x_new, y_new))
            x, x_new = sets["pixels"]
            svm = probe(x[rows], y[rows], x_new, y_new, SVC(C=10))
            curves[name]["pixels, SVM"][k].append(svm)


# %% [markdown]
# In the figures, a line is the mean over the draws. A band runs from the worst draw to the best; it
# is drawn for two of the lines only, because eight would cover each other.


# %%
def draw_curves(name):
    """Plot accuracy by number of labels and chance, with the legend beside the lines."""
    fig = plots.accuracy_by_labels(curves[name], title=f"{name}: accuracy by number of labels")
    ax, with_band = fig.axes[0], [f"block {CHOSEN}", UNTRAINED]
    for band, which in zip(list(ax.collections), curves[name]):
        if which not in with_band:
            band.remove()
    chance = 100 / len(targets[name]["class_names"])
    ax.axhline(chance, color="#444444", linewidth=1, label="chance")
    fig.set_size_inches(8.6, 4.4)
    ax.get_legend().remove()
    fig.legend(loc="outside right upper")
    words = f"With a band here: {'; '.join(with_band)}. Chance is {chance:.0f} %."
    return plots.describe(fig, f"{plots.alt_text(fig)} {words}".replace(" seeds;", " draws;"))


# %% tags=["nbval-ignore-output"]
draw_curves("faces")

# %% tags=["nbval-ignore-output"]
draw_curves(MANY)


# %%
def mean(name, which, k):
    """Return the accuracy in percent, mean over draws."""
    return 100 * float(np.mean(curves[name][which][k]))


# %% [markdown]
# Now compare your forecast with what was measured. A block within three points of the best counts:
# which of two such blocks is ahead can depend on the draw of labels.

# %% tags=["nbval-ignore-output"]
accuracy_by_block = {number: mean("faces", f"block {number}", 2) for number in range(1, 6)}
ex.forecast.check(forecast, accuracy_by_block)

# %% [markdown]
# The same in numbers. All sets were given the same draws, so they can be compared draw by draw: the
# last columns say how far the chosen block is ahead, from its worst draw to its best.

# %% tags=["nbval-ignore-output"]
FEW = {"faces": 2, MANY: 5}  # labels per class, in what follows
CONTROLS = ("pixels", "pixels, SVM", UNTRAINED)

for name, k in FEW.items():
    ours = np.array(curves[name][f"block {CHOSEN}"][k])
    print(f"{name}, labels per class: {k}. Block {CHOSEN}: {100 * ours.mean():.1f} %")
    for which in (*(f"block {number}" for number in range(1, 6)), *CONTROLS):
        ahead = 100 * (ours - curves[name][which][k])
        if which != f"block {CHOSEN}":
            print(
                f"{which:>20} {mean(name, which, k):5.1f} %, behind by {ahead.mean():5.1f} points,"
                f" in single draws from {ahead.min():5.1f} to {ahead.max():5.1f}"
            )

# %%
if course.quick:
    faces_3, patches_3 = mean("faces", "block 3", 2), mean(MANY, "block 3", 5)
    claim(
        "04.faces",
        "Faces, 2 labels per class: block 3 is right for at least 95 % of new images.",
        faces_3,
        at_least=95,
        unit="percent",
    )
    claim(
        "04.faces-pixels",
        "That is at least 15 points more than the same classifier on pixels.",
        faces_3 - mean("faces", "pixels", 2),
        at_least=15,
        unit="points",
    )
    claim(
        "04.patches-pixels",
        "Patches, 5 labels per class: block 3 gains at least 30 points over pixels.",
        patches_3 - mean(MANY, "pixels", 5),
        at_least=30,
        unit="points",
    )
    claim(
        "04.patches-svm",
        "Over the support vector machine on pixels it is still at least 20 points.",
        patches_3 - mean(MANY, "pixels, SVM", 5),
        at_least=20,
        unit="points",
    )
    claim(
        "04.untrained",
        "The untrained network alone has at least 10 points over pixels (patches).",
        mean(MANY, UNTRAINED, 5) - mean(MANY, "pixels", 5),
        at_least=10,
        unit="points",
    )
    claim(
        "04.untrained-faces",
        "On the faces the untrained network is below the pixels.",
        mean("faces", UNTRAINED, 2) - mean("faces", "pixels", 2),
        at_most=0,
        unit="points",
    )

# %%
if course.quick:
    for name, k in FEW.items():
        claim(
            f"04.block-3-over-5-{name}",
            f"{name}, {k} labels per class: block 3 beats block 5.",
            mean(name, "block 3", k) - mean(name, "block 5", k),
            at_least=2 if name == "faces" else 10,
            unit="points",
        )
        claim(
            f"04.pretraining-{name}",
            f"{name}, {k} labels per class: block 3 beats the same block untrained.",
            mean(name, "block 3", k) - mean(name, UNTRAINED, k),
            at_least=8,
            unit="points",
        )
        claim(
            f"04.best-control-{name}",
            f"{name}, {k} labels per class: block 3 beats the best of the three controls.",
            mean(name, "block 3", k) - max(mean(name, which, k) for which in CONTROLS),
            at_least=8,
            unit="points",
        )
        early = [mean(name, f"block {number}", k) for number in (1, 2, 3)]
        claim(
            f"04.early-blocks-{name}",
            f"{name}, {k} labels per class: the means of blocks 1 to 3 lie within 6 points.",
            max(early) - min(early),
            at_most=6,
            unit="points",
        )
    claim(
        "04.block-4-over-5",
        "Patches: block 4 beats block 5, with as many features.",
        mean(MANY, "block 4", 5) - mean(MANY, "block 5", 5),
        at_least=5,
        unit="points",
    )

# %% [markdown]
# Read the figures in this order:
#
# - The **early and middle blocks** transfer best here. Blocks 1 to 3 differ by a few points, and in
#   single draws their order is another. The **last** block, which most articles take, does clearly
#   worse. Its features were shaped to tell ships from frogs. A face is neither, and a patch of brick
#   has no object at all. In a large network, too, the deeper a layer is, the more it belongs to its source
#   (Yosinski and others, 2014).
# - The **untrained** network is the control that most articles leave out. On the patches it beats the
#   pixels by far: filters, rectification and averaging over places are worth much by themselves, even
#   with random weights. On the faces it is worse than the pixels. What pretraining adds is the
#   distance from that line.
# - The **support vector machine** makes more of the pixels of the patches than logistic regression
#   does.
#
# The gain to report is the one over the *best* control of each target. For the faces that is a
# classifier on pixels, for the patches the untrained network: much less than the gain over pixels.
#
# With another network or other images the best block is another one. So try several: on stored
# features it costs seconds. The figures used the test images, to show the whole picture. To *choose*,
# use only your labels. **Cross-validation** (交叉验证) trains on four fifths of them, tests on the
# fifth that was left out, and does so five times:

# %%
from sklearn.model_selection import cross_val_score

rows = chosen[MANY][10][0]
validated = {}
for number, stored_block in enumerate(features[MANY]["train"], 1):
    x = stored_block[rows]
    scores = cross_val_score(linear_classifier(), x / x.std(), y_many[rows], cv=5)
    validated[number] = 100 * scores.mean()

# %% tags=["nbval-ignore-output"]
for number, value in validated.items():
    print(f"block {number}: {value:.1f} % in cross-validation, {len(rows)} labels")

# %%
picked = max(validated, key=validated.get)
if course.quick:
    claim(
        "04.cross-validation",
        "Cross-validation picks one of the blocks 1 to 3.",
        picked,
        at_most=3,
    )

# %% [markdown]
# It keeps away from the last blocks; among the early ones it is a matter of luck, and matters little.
# Take its choice, not its percentages: they rest on few labels, and the labelled patches are neighbours
# in one part of each photograph, while the test patches come from another part (lesson 05,
# section 5).

# %%
ex.q_block.ask(...)


# %% tags=["nbval-ignore-output"]
def draw_blocks(target, labels_per_class):
    """Plot accuracy against the block for one target and number of labels."""
    values = [mean(target, f"block {number}", labels_per_class) for number in range(1, 6)]
    pixels_line = mean(target, "pixels", labels_per_class)
    fig, ax = plots.figure(
        f"Accuracy on {target}, labels per class {labels_per_class}: "
        + ", ".join(f"block {number} {value:.0f} %" for number, value in enumerate(values, 1))
        + f"; pixels {pixels_line:.0f} %."
    )
    ax.plot(range(1, 6), values, label="features of the block")
    ax.axhline(pixels_line, color=plots.COLORS[1], linestyle="--", label="pixels")
    ax.set(xlabel="Block (number)", ylabel="Accuracy (%)", ylim=(0, 102))
    ax.set_xticks(range(1, 6))
    ax.set_title(f"{target}, labels per class: {labels_per_class}")
    ax.legend(loc="lower left")
    return fig


plots.interactive(draw_blocks, target=list(TARGETS), labels_per_class=list(LABELS))

# %% [markdown]
# A picture of the features themselves: **t-SNE** (t-SNE 降维) places the test images of the second
# target in the plane so that neighbours stay neighbours. It has seen no label; the colours are added
# afterwards. Distances between groups mean nothing in such a map.

# %%
from sklearn.manifold import TSNE

some = np.concatenate([np.flatnonzero(y_test == k)[:25] for k in range(classes)])
in_plane = TSNE(perplexity=15, random_state=course.seed).fit_transform(
    features[MANY]["test"][CHOSEN - 1][some]
)

# %% tags=["nbval-ignore-output"]
plots.embedding(
    in_plane,
    y_test[some],
    many["class_names"],
    xlabel="First axis (no unit)",
    ylabel="Second axis (no unit)",
    title=f"Block {CHOSEN} features by t-SNE",
)

# %% [markdown]
# Which images are confused? For the classifiers with five labels per class, all draws together:


# %%
def guesses(number):
    """Return what the classifiers on a block say of the test images, one row per draw."""
    x, x_new = (features[MANY][part][number - 1] for part in ("train", "test"))
    result = []
    for rows in chosen[MANY][5]:
        scale = x[rows].std()
        model = linear_classifier().fit(x[rows] / scale, y_many[rows])
        result.append(model.predict(x_new / scale))
    return np.array(result)


guessed = {number: guesses(number) for number in (CHOSEN, 5)}


def confusion(number):
    """Draw how often a block's classifiers take one class for another."""
    draws = guessed[number]
    title = f"Block {number}, {len(draws)} draws"
    true = np.tile(y_test, len(draws))
    return plots.confusion_matrix(true, draws.ravel(), many["class_names"], title=title)


# %% tags=["nbval-ignore-output"]
confusion(CHOSEN)

# %% tags=["nbval-ignore-output"]
confusion(5)


# %%
def right_share(number, names):
    """Return how many of the test images of some classes a block's classifiers get right, percent."""
    some = np.isin(y_test, [list(many["class_names"]).index(name) for name in names])
    return 100 * float(np.mean(guessed[number][:, some] == y_test[some]))


if course.quick:
    fine = ("grass", "gravel", "tissue")
    things = ("astronaut", "camera", "cat", "coffee", "coins")
    claim(
        "04.fine-textures",
        "On grass, gravel and tissue, block 3 is at least 25 points ahead of block 5.",
        right_share(3, fine) - right_share(5, fine),
        at_least=25,
        unit="points",
    )
    claim(
        "04.things",
        "On patches of photographs of things, block 3 is right for at most 40 %.",
        right_share(3, things),
        at_most=40,
        unit="percent",
    )

# %% [markdown]
# Most of what block 5 has lost is fine texture: it takes grass, gravel and tissue for one another and
# for anything else. Patches of astronaut, camera, cat, coffee and coins are hard for both: a patch
# from one part of such a photograph says little about another part.
#
# ### The other control: a network from scratch
#
# A small convolutional network, trained on the same labels from random weights.


# %% tags=["keep"]
def small_network(classes, size):
    """Return a convolutional network for images of 32 × 32 pixels or more, untrained."""
    layers = [keras.Input((size, size, 3)), keras.layers.Rescaling(1 / 64)]
    for width in (16, 32, 64):
        layers.append(keras.layers.Conv2D(width, 3, padding="same", activation="relu"))
        layers.append(keras.layers.MaxPooling2D())
    layers.append(keras.layers.GlobalAveragePooling2D())
    return keras.Sequential([*layers, keras.layers.Dense(classes)])


# %%
def run_scratch(parts, rows, x_new, epochs):
    """Train a network from random weights; return accuracy on training and test images, percent."""
    x = network.preprocess_input(parts["x_train"][rows].astype("float32"))
    y = parts["y_train"][rows]
    model = small_network(len(parts["class_names"]), SIZE)
    compile_model(model, 3e-3)
    model.fit(x, y, batch_size=25, epochs=epochs, verbose=0)
    return 100 * share_right(model, x, y), 100 * share_right(model, x_new, parts["y_test"])


# %%
scratch = {}
for name, k, runs, epochs in (("faces", 1, 6, 50), ("faces", 2, 6, 50), (MANY, 5, 3, 80)):
    x_new = network.preprocess_input(targets[name]["x_test"].astype("float32"))
    some = chosen[name][k][:runs]
    scratch[name, k] = np.array([run_scratch(targets[name], rows, x_new, epochs) for rows in some])


def extracted(name, block, k):
    """Return the accuracy with features of a block, on the draws that the network had, percent."""
    return 100 * float(np.mean(curves[name][f"block {block}"][k][: len(scratch[name, k])]))


# %% tags=["nbval-ignore-output"]
for (name, k), values in scratch.items():
    on_training, on_test = values.mean(axis=0)
    print(f"{name}, labels per class: {k}")
    print(f"  from scratch: {on_test:.1f} % ({on_training:.1f} % of the training images)")
    for block in dict.fromkeys([CHOSEN, 5]):
        print(f"  extraction from block {block}: {extracted(name, block, k):.1f} %")

# %%
if course.quick:
    for (name, k), values in scratch.items():
        claim(
            f"04.scratch-{name}-{k}",
            f"{name}, labels per class: {k}. Extraction from block 3 beats the network from scratch.",
            extracted(name, 3, k) - values[:, 1].mean(),
            at_least={("faces", 1): 10, ("faces", 2): 5}.get((name, k), 0),
            unit="points",
        )
    claim(
        "04.scratch-fits",
        "The networks from scratch fit at least 90 % of their training images.",
        min(values[:, 0].mean() for values in scratch.values()),
        at_least=90,
        unit="percent",
    )
    claim(
        "04.scratch-over-block-5",
        "Patches: the network from scratch beats extraction from block 5.",
        scratch[MANY, 5][:, 1].mean() - extracted(MANY, 5, 5),
        at_least=3,
        unit="points",
    )

# %% [markdown]
# From a good block, extraction beats the network from scratch on the same labels. How much transfer
# adds depends on the target and on the number of labels, so a gain is worth little without both.
#
# And it depends on the layer: the *last* block need not win. On the patches, the small network from
# scratch is right more often than a linear head on the features of block 5. Whoever tries only the
# last block sees little of what this network has to give.

# %% [markdown]
# ## Your progress

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A pretrained network needs its own preprocessing, once. Nothing crashes when it is wrong, so check
#   the values.
# - Early blocks keep places and textures, late blocks keep what the source classes needed. Try
#   several and choose by cross-validation: the last one need not be the best.
# - Frozen features are computed once and stored. Fresh variants in every epoch cannot be stored, a
#   few fixed ones can.
# - Compare with pixels, an untrained network and a network from scratch.
#
# ## Where next
#
# [Lesson 05](05_vgg16_finetuning.ipynb) goes on with these features: which head to put on them, when to
# train the network further, and how to test honestly.
#
# ## Sources
#
# - K. Simonyan and A. Zisserman (2015), *Very deep convolutional networks for large-scale image
#   recognition*, ICLR, [arXiv:1409.1556](https://arxiv.org/abs/1409.1556): VGG16.
# - A. Krizhevsky (2009), *Learning multiple layers of features from tiny images*,
#   [report](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf): CIFAR-10.
# - J. Deng et al. (2009), *ImageNet: a large-scale hierarchical image database*, CVPR,
#   [doi:10.1109/CVPR.2009.5206848](https://doi.org/10.1109/CVPR.2009.5206848).
# - J. Donahue et al. (2014), *DeCAF: a deep convolutional activation feature for generic visual
#   recognition*, [arXiv:1310.1531](https://arxiv.org/abs/1310.1531): frozen features with a linear
#   classifier.
# - G. Alain and Y. Bengio (2017), *Understanding intermediate layers using linear classifier
#   probes*, [arXiv:1610.01644](https://arxiv.org/abs/1610.01644).
# - L. van der Maaten and G. Hinton (2008), *Visualizing data using t-SNE*,
#   [JMLR 9](https://www.jmlr.org/papers/v9/vandermaaten08a.html).
# - G. B. Huang et al. (2012), *Learning to align from scratch*, NeurIPS 25: the faces come from
#   their photographs.
# - J. Yosinski, J. Clune, Y. Bengio and H. Lipson (2014), *How transferable are features in deep
#   neural networks?*, [arXiv:1411.1792](https://arxiv.org/abs/1411.1792).
