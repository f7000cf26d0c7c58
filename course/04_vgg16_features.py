# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 03" engine="keras"
# # 04. VGG16 as a feature extractor
#
# VGG16 (2014) is the network of most articles on transfer learning: plain, deep, and trained on a
# million photographs. You will look at what it computes, take its features for images that it was
# never trained on, and measure which of its layers are worth taking, what to put on top, and when
# to train it further.
#
# ## What you will be able to do
#
# - feed a pretrained network what it expects, and notice when you do not;
# - say what each block of VGG16 keeps of an image, and what it loses;
# - extract features once, store them, and train a classifier on them in seconds;
# - find the layer that transfers best to your images, against honest controls;
# - unfreeze the last block safely, and recognise three ways to spoil it;
# - combine features of two layers, and tell when that helps;
# - use another backbone, and your own folder of images, with the same few lines.
#
# Terms are collected in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("04")

# %%
import time

import keras
import numpy as np

from transfer_lib import claim, data, images, plots, vgg16_mini
from transfer_lib.exercises import lesson_04 as ex

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

# %%
from skimage import data as photographs
from skimage.transform import resize


def rgb(picture):
    """Return pixels from 0 to 255 with three channels: grey pictures and masks are repeated."""
    if picture.dtype == bool:
        picture = picture.astype("uint8") * 255
    return picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)


def square(picture, size=SIZE):
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
photos = np.stack([square(rgb(photo)) for photo in PHOTOS.values()])
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

# %% exercise="04.q_rocket"
choice = (
    ### BEGIN SOLUTION
    "c"
    ### END SOLUTION
)
ex.q_rocket.ask(choice)

# %% [markdown]
# **Your own picture.** Click the button and choose an image file. It stays on this machine. Where
# buttons do not run, the table above shows what the answer looks like.


# %%
def show(name, pixels):
    """Predict one uploaded picture."""
    best = top_three(square(pixels)[None])[0]
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
# complaint. So let the values be checked before they go in:

# %%
for mistake, x in inputs.items():
    try:
        vgg16_mini.check_preprocessed(x)
        print(f"{mistake}: fine")
    except vgg16_mini.PreprocessingError as error:
        print(f"{mistake}: {error}")

try:
    vgg16_mini.preprocess_input(pixels / 255)
except vgg16_mini.PreprocessingError as error:
    print(f"\npreprocess_input of this course refuses: {error}")

# %% [markdown]
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

# %%
if course.quick:
    base = network.VGG16Mini(include_top=False, weights="cifar10", input_shape=(SIZE, SIZE, 3))
else:
    notop = str(data.fetch("vgg16_imagenet_notop"))
    base = network.VGG16(include_top=False, weights=notop, input_shape=(SIZE, SIZE, 3))
base.trainable = False
BLOCKS = [f"block{number}_pool" for number in range(1, 6)]

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


def load_target(name):
    """Return a target as a dict of x_train, y_train, x_test, y_test (RGB pixels) and class_names."""
    if name == "flowers":
        loaded = images.read_folder(data.fetch(name) / "flower_photos", size=SIZE)
    else:
        loaded = data.load(name)
    parts = {"class_names": loaded.class_names}
    for part in ("train", "test"):
        x, y = getattr(loaded, f"x_{part}"), getattr(loaded, f"y_{part}")
        rows = np.concatenate([np.flatnonzero(y == k)[:100] for k in np.unique(y)])
        parts[f"x_{part}"], parts[f"y_{part}"] = as_rgb(x[rows]), y[rows]
    return parts


def as_rgb(x):
    """Return images as uint8 RGB of SIZE × SIZE pixels."""
    x = x if x.ndim == 4 else np.stack([x] * 3, axis=-1)
    if x.shape[1] != SIZE:
        x = keras.ops.convert_to_numpy(keras.ops.image.resize(x.astype("float32"), (SIZE, SIZE)))
    return np.round(x).clip(0, 255).astype("uint8")


# %%
targets = {name: load_target(name) for name in TARGETS}
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


def extract(x, model=extractor, preprocess=network.preprocess_input, size=64):
    """Return what the model computes for images, in portions so that memory stays small."""
    portions = [x[start : start + size].astype("float32") for start in range(0, len(x), size)]
    outputs = [model.predict(preprocess(portion), verbose=0) for portion in portions]
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)


# %%
features = {
    name: {part: extract(parts[f"x_{part}"]) for part in ("train", "test")}
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


# %%
def draw(y, per_class):
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
rows = draw(y_many, 10)
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


def head_on(width):
    """Return a linear head for features of this width; it starts at zero."""
    layer = keras.layers.Dense(classes, kernel_initializer="zeros")
    return keras.Sequential([keras.Input((width,)), layer])


def train_head(x, y, epochs):
    """Train a linear head on features; return it."""
    head = head_on(x.shape[1])
    compile_model(head, 3e-2)
    head.fit(x, y, batch_size=50, epochs=epochs, verbose=0)
    return head


# %%
cut_model = keras.Model(base.input, pool()(chosen_map))
x_new = features[MANY]["test"][CHOSEN - 1]


def variants_of(x, model, count):
    """Return what the model computes for random variants of preprocessed images."""
    augmented = [augment(x, training=True) for _ in range(count)]
    return [model.predict(keras.ops.convert_to_numpy(a), verbose=0) for a in augmented]


# %%
table = {}

start = time.perf_counter()
head = train_head(stored, y_many[rows], epochs=20)
table["stored, no variants"] = time.perf_counter() - start, share_right(head, x_new, y_test)

start = time.perf_counter()
variants = [stored, *variants_of(x_ready, cut_model, 3)]
head = train_head(np.concatenate(variants), np.tile(y_many[rows], 4), epochs=5)
table["stored, 3 fixed variants"] = time.perf_counter() - start, share_right(head, x_new, y_test)

start = time.perf_counter()
head = head_on(stored.shape[1])
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

# %% exercise="04.q_augment"
choice = (
    ### BEGIN SOLUTION
    "b"
    ### END SOLUTION
)
ex.q_augment.ask(choice)

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

# %%
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC


def linear_classifier():
    """Return logistic regression. PCA without a limit only turns the axes: it is found faster."""
    return make_pipeline(PCA(), LogisticRegression(tol=0.01, max_iter=1000))


def probe(x, y, x_test, y_test, classifier=None):
    """Fit a classifier on a few features; return its accuracy on the test features."""
    scale = x.std()
    model = classifier or linear_classifier()
    return model.fit(x / scale, y).score(x_test / scale, y_test)


# %%
if course.quick:
    raw = network.VGG16Mini(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
else:
    raw = network.VGG16(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
raw_map = raw.get_layer(f"block{CHOSEN}_pool").output
UNTRAINED = f"block {CHOSEN}, untrained"
untrained = keras.Model(raw.input, pool()(raw_map))


def feature_sets(name):
    """Return the sets to compare for one target: name to (training, test)."""
    both = [targets[name][f"x_{part}"] for part in ("train", "test")]
    thin, colours = SIZE // 32, 1 if course.quick else 3  # grey images need one channel
    pixels = [x[:, ::thin, ::thin, :colours].reshape(len(x), -1) / 255 for x in both]
    blocks = zip(features[name]["train"], features[name]["test"])
    sets = {f"block {number}": pair for number, pair in enumerate(blocks, 1)}
    sets[UNTRAINED] = [extract(x, untrained) for x in both]
    return sets | {"pixels": pixels}


# %%
LABELS = (1, 2, 5, 10)  # per class
DRAWS = {"faces": 40, MANY: 12}  # with two classes and few labels, single draws differ most
curves, chosen = {}, {}
for name, parts in targets.items():
    y, y_new = parts["y_train"], parts["y_test"]
    sets = feature_sets(name)
    chosen[name] = {k: [draw(y, k) for _ in range(DRAWS[name])] for k in LABELS}
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

# %%
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
        others = np.maximum(curves[name]["block 1"][k], curves[name]["block 2"][k])
        claim(
            f"04.early-draws-{name}",
            f"{name}, {k} labels per class: in some draw block 1 or 2 does as well as block 3.",
            100 * np.min(curves[name]["block 3"][k] - others),
            at_most=0,
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
#   has no object at all. Yosinski and others (2014) found the same in a large network: the deeper a
#   layer, the more it belongs to its source.
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
# in one part of each photograph, while the test patches come from another part (section 11).

# %% exercise="04.q_block"
choice = (
    ### BEGIN SOLUTION
    "a"
    ### END SOLUTION
)
ex.q_block.ask(choice)


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


# %%
def small_network(classes):
    """Return a convolutional network for images of 32 × 32 pixels or more, untrained."""
    layers = [keras.Input((SIZE, SIZE, 3)), keras.layers.Rescaling(1 / 64)]
    for width in (16, 32, 64):
        layers.append(keras.layers.Conv2D(width, 3, padding="same", activation="relu"))
        layers.append(keras.layers.MaxPooling2D())
    return keras.Sequential([*layers, pool(), keras.layers.Dense(classes)])


def run_scratch(parts, rows, x_new, epochs):
    """Train a network from random weights; return accuracy on training and test images, percent."""
    x = network.preprocess_input(parts["x_train"][rows].astype("float32"))
    y = parts["y_train"][rows]
    model = small_network(len(parts["class_names"]))
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
# And it depends on the layer: the *last* block need not win. On the patches its features are worse
# than no transfer at all: **negative transfer** (负迁移), as in lesson 01. Whoever had tried only the
# last block would have concluded that VGG16 is of no use here.

# %% [markdown]
# ## 7. What to put on top
#
# Many articles flatten the feature map and add two large layers: `Flatten → Dense(1024) →
# Dense(512) → softmax`. The alternative is the pooled vector and one linear layer. (As in lesson 03,
# the softmax is in the loss.)
#
# ### Exercise: how many parameters?
#
# Write the function that counts the parameters of the articles' head, given the shape of the feature
# map (height, width, channels) and the number of classes. Mind the biases.


# %% exercise="04.head_parameters"
def head_parameters(shape, classes):
    """Return the number of weights and biases of Flatten, Dense(1024), Dense(512), Dense(classes)."""
    ### BEGIN SOLUTION
    height, width, channels = shape
    flat = height * width * channels
    return (flat + 1) * 1024 + (1024 + 1) * 512 + (512 + 1) * classes
    ### END SOLUTION


ex.head_parameters.check(head_parameters)

# %% [markdown]
# The two heads differ in two things: whether the places are averaged, and how large the head is. So we run
# all four combinations, on the same layer, with 5 labels per class and three draws. Three remedies
# against **overfitting** (过拟合) are added to the articles' head: **L2** (L2 正则化) keeps weights
# small, **dropout** (随机失活) switches half of the units off in each step, and augmentation adds
# three fixed variants of each image.

# %%
map_model = keras.Model(base.input, chosen_map)
map_train, map_test = extract(many["x_train"], map_model), extract(many["x_test"], map_model)


def article_head(l2=0.0, dropout=0.0, start=keras.layers.Flatten):
    """Return two large layers and a last one, for feature maps."""
    layers = [keras.Input(map_train.shape[1:]), start()]
    for units in (1024, 512):
        penalty = keras.regularizers.L2(l2)
        layers += [keras.layers.Dense(units, "relu", kernel_regularizer=penalty)]
        layers += [keras.layers.Dropout(dropout)]
    return keras.Sequential([*layers, keras.layers.Dense(classes)])


def linear_head(start=pool):
    """Return one dense layer, for feature maps that are pooled, or flattened."""
    layers = [keras.Input(map_train.shape[1:]), start(), keras.layers.Dense(classes)]
    return keras.Sequential(layers)


# %%
HEADS = {  # name: (how to make it, learning rate, variants of each image)
    "pooled, linear": (linear_head, 3e-2, 0),
    "pooled, two large layers": (lambda: article_head(start=pool), 1e-3, 0),
    "flat, linear": (lambda: linear_head(start=keras.layers.Flatten), 3e-3, 0),
    "articles' head": (article_head, 1e-3, 0),
    "articles' head, L2": (lambda: article_head(l2=1e-3), 1e-3, 0),
    "articles' head, dropout": (lambda: article_head(dropout=0.5), 1e-3, 0),
    "articles' head, augmentation": (article_head, 1e-3, 3),
}


def run_head(make, rate, variants, rows):
    """Train a head; return its parameters, seconds, accuracy on training and on test images."""
    x, y = map_train[rows], y_many[rows]
    inputs = network.preprocess_input(many["x_train"][rows].astype("float32"))
    more = variants_of(inputs, map_model, variants)
    head = make()
    compile_model(head, rate)
    start = time.perf_counter()
    x_all, y_all = np.concatenate([x, *more]), np.tile(y, variants + 1)
    head.fit(x_all, y_all, batch_size=25, epochs=20 // (variants + 1), verbose=0)
    seconds = time.perf_counter() - start
    return (
        head.count_params(),
        seconds,
        share_right(head, x, y),
        share_right(head, map_test, y_test),
    )


# %%
heads = {
    name: np.array([run_head(*settings, rows) for rows in chosen[MANY][5][:3]])
    for name, settings in HEADS.items()
}

# %% tags=["nbval-ignore-output"]
print(f"{'head':>29} {'parameters':>11} {'seconds':>8} {'training':>9} {'test':>7} {'gap':>7}")
for name, runs in heads.items():
    count, seconds, *right = runs.mean(axis=0)
    print(
        f"{name:>29} {count:11,.0f} {seconds:8.1f} {right[0]:9.1%} {right[1]:7.1%} "
        f"{right[0] - right[1]:7.1%}"
    )

# %%
test_accuracy = {name: 100 * runs[:, 3].mean() for name, runs in heads.items()}
if course.quick:
    claim(
        "04.head",
        "The pooled linear head is right more often than the articles' head, on the same labels.",
        test_accuracy["pooled, linear"] - test_accuracy["articles' head"],
        at_least=3,
        unit="points",
    )
    claim(
        "04.pooled-large",
        "Two large layers on pooled features beat the same layers on the flat map.",
        test_accuracy["pooled, two large layers"] - test_accuracy["articles' head"],
        at_least=3,
        unit="points",
    )
    claim(
        "04.pooled-size",
        "On pooled features, two large layers and a linear one differ little.",
        test_accuracy["pooled, two large layers"] - test_accuracy["pooled, linear"],
        between=(-5, 6),
        unit="points",
    )
    claim(
        "04.flat-linear",
        "On flattened maps, the linear head is below the pooled linear head as well.",
        test_accuracy["pooled, linear"] - test_accuracy["flat, linear"],
        at_least=3,
        unit="points",
    )
    gap = {name: 100 * (runs[:, 2] - runs[:, 3]).mean() for name, runs in heads.items()}
    claim(
        "04.gap",
        "The gap between training and test images is wider for the flat heads than for the pooled.",
        min(gap["flat, linear"], gap["articles' head"])
        - max(gap["pooled, linear"], gap["pooled, two large layers"]),
        at_least=2,
        unit="points",
    )
    claim(
        "04.remedies",
        "No remedy lifts the articles' head above the pooled linear head.",
        max(test_accuracy[f"articles' head, {r}"] for r in ("L2", "dropout", "augmentation"))
        - test_accuracy["pooled, linear"],
        at_most=0,
        unit="points",
    )

# %% [markdown]
# Overfitting is the gap between training and test accuracy. All heads have one here, with five labels
# per class; on flat maps it is wider. The four combinations tell what causes that: on pooled features a
# head with hundreds of times the parameters does no harm, and on flat maps even the linear head is
# bad. So it is the *pooling* that helps, not the small size. (The small head is cheaper.)
#
# Pooling throws away *where* something is. In patches that are cut at random places that is no loss.
# Of the remedies, the variants come nearest: they are shifted, so they teach what pooling has built
# in. Where the place matters, as in reading text, keep the map.

# %% [markdown]
# ## 8. Fine-tune the last block
#
# The last block does not suit these targets. **Fine-tuning** (微调) can change that: unfreeze it, and
# only it, and train it at a low rate.
#
# ### Exercise: unfreeze block 5
#
# The backbone that you get is frozen as a whole. Afterwards, training must be able to change the
# layers of block 5 and no others.


# %% exercise="04.unfreeze"
def unfreeze(base):
    """Let training change block 5 of a frozen VGG16, and nothing else."""
    ### BEGIN SOLUTION
    base.trainable = True
    for layer in base.layers:
        layer.trainable = layer.name.startswith("block5")
    ### END SOLUTION


ex.unfreeze.check(unfreeze)

# %% [markdown]
# Now the whole recipe, in the whole network, with ten labels per class. First a head that is trained
# until it has converged (on stored features of block 5), then block 5 with it.

# %%
pretrained = base.get_weights()  # to come back to
rows = chosen[MANY][10][0]
x_ready = network.preprocess_input(many["x_train"][rows].astype("float32"))
x_test_ready = network.preprocess_input(many["x_test"].astype("float32"))

head = train_head(features[MANY]["train"][4][rows], y_many[rows], epochs=60)
outputs = head(pool()(base.output))
whole = keras.Model(base.input, outputs)
frozen_accuracy = share_right(whole, x_test_ready, y_test)

base.trainable = True
for layer in base.layers:
    layer.trainable = layer.name.startswith("block5")
LOW = 1e-4 if course.quick else 1e-5
compile_model(whole, LOW)  # again, because `trainable` has changed; and a low rate
history = whole.fit(x_ready, y_many[rows], batch_size=25, epochs=10, verbose=0)

# %% tags=["nbval-ignore-output"]
tuned_accuracy = share_right(whole, x_test_ready, y_test)
print(f"block 5 frozen {frozen_accuracy:.1%}, fine-tuned {tuned_accuracy:.1%}")

# %% [markdown]
# ### Three mistakes
#
# Each is run three times, on the draws of section 6. Blocks 1 to 4 stay frozen in all runs, so their
# output can be stored too: what remains to be trained is block 5 and the head. A *fresh* head starts
# from random weights, as Keras gives them.

# %%
THREE = chosen[MANY][10][:3]  # draws


def stored_inputs(block):
    """Return what goes into a block: training and test images, or the maps of the block before."""
    both = [many["x_train"], many["x_test"]]
    if block == 1:
        return [network.preprocess_input(x.astype("float32")) for x in both]
    lower = keras.Model(base.input, base.get_layer(f"block{block - 1}_pool").output)
    return [extract(x, lower) for x in both]


def first_heads(block):
    """Return for each draw the weights of a head that has converged on features of a block."""
    x = features[MANY]["train"][block - 1]
    return [train_head(x[rows], y_many[rows], epochs=60).get_weights() for rows in THREE]


def part_of_base(first, last, head, inputs):
    """Return a model of the blocks `first` to `last` (the same layers) and a head."""
    x = inputs
    for layer in base.layers:
        if layer.name.startswith(tuple(f"block{number}" for number in range(first, last + 1))):
            x = layer(x)
    return keras.Model(inputs, head(pool()(x)))


# %%
def fine_tune(stored, rows, head_weights, rate, first=5, last=5, epochs=12):
    """Fine-tune blocks from their pretrained weights; return the accuracy on test images."""
    base.set_weights(pretrained)
    base.trainable = True  # but of `base`, the model below holds only the blocks to be trained
    width = base.get_layer(f"block{last}_pool").output.shape[-1]
    head = keras.Sequential([keras.Input((width,)), keras.layers.Dense(classes)])
    if head_weights is not None:
        head.set_weights(head_weights)
    x, x_new = stored
    model = part_of_base(first, last, head, keras.Input(x.shape[1:]))
    compile_model(model, rate)
    model.fit(x[rows], y_many[rows], batch_size=25, epochs=epochs, verbose=0)
    return 100 * share_right(model, x_new, y_test)


# %%
into_5, heads_5, fresh = stored_inputs(5), first_heads(5), [None] * len(THREE)
RUNS = {
    "frozen block 5": {"start": heads_5, "rate": LOW, "epochs": 0},
    "head first, low rate": {"start": heads_5, "rate": LOW},
    "fresh head, low rate": {"start": fresh, "rate": LOW},
    "head first, 10 times that rate": {"start": heads_5, "rate": 10 * LOW},
    "fresh head, 10 times that rate": {"start": fresh, "rate": 10 * LOW},
    "head first, rate 0.1": {"start": heads_5, "rate": 0.1},
}


def run_draws(stored, start, **settings):
    """Fine-tune on each draw of labels, from the heads in `start`."""
    return [fine_tune(stored, rows, head, **settings) for rows, head in zip(THREE, start)]


tuned = {name: run_draws(into_5, **settings) for name, settings in RUNS.items()}

# %% tags=["nbval-ignore-output"]
plots.bars(tuned, "Accuracy on test images (%)", title="Fine-tuning block 5, 10 labels per class")

# %%
average = {name: float(np.mean(values)) for name, values in tuned.items()}
good = average["head first, low rate"]
if course.quick:
    claim(
        "04.fine-tuning",
        "Fine-tuning block 5 gains at least 3 points over leaving it frozen.",
        good - average["frozen block 5"],
        at_least=3,
        unit="points",
    )
    claim(
        "04.fresh-head",
        "With a fresh head at the same low rate, as many steps of fine-tuning end at least 3 points "
        "lower.",
        good - average["fresh head, low rate"],
        at_least=3,
        unit="points",
    )
    claim(
        "04.fresh-below-frozen",
        "That is at least 1 point below the block that was left as it was.",
        average["frozen block 5"] - average["fresh head, low rate"],
        at_least=1,
        unit="points",
    )
    claim(
        "04.fresh-head-high",
        "At ten times the rate for both, the fresh head is behind by at least 3 points less.",
        good
        - average["fresh head, low rate"]
        - (average["head first, 10 times that rate"] - average["fresh head, 10 times that rate"]),
        at_least=3,
        unit="points",
    )
    claim(
        "04.high-rate",
        "A rate of 0.1 loses at least 20 points.",
        good - average["head first, rate 0.1"],
        at_least=20,
        unit="points",
    )

# %% [markdown]
# - **A fresh head**: its first weights are random, so the gradients that it passes down into block 5
#   are random, too, and the first steps change good features to please a bad head. At a low rate it is
#   far behind after as many steps of fine-tuning, even behind the frozen block. At ten times the rate
#   it gets further; compare it with *head first* at that rate: most of the distance is gone, and in
#   some runs all of it. But a head that is trained first, on stored features, costs next to nothing.
# - **A high rate** destroys the block in the first steps.
#
# The third mistake is **not compiling again**. What happens then has changed between versions of
# Keras, and much that is written about it is out of date. So we look: did block 5 change or not?


# %%
def without_compile(before, after, fit_first):
    """Compile with block 5 in one state, switch it, and fit; print what came of it."""
    base.set_weights(pretrained)
    inputs = keras.Input(into_5[0].shape[1:])
    model = part_of_base(5, 5, head_on(pretrained[-1].shape[0]), inputs)
    block = [layer for layer in base.layers if layer.name.startswith("block5_conv")]
    for layer in block:
        layer.trainable = before == "trainable"
    compile_model(model, 1e-3)
    if fit_first:
        model.fit(into_5[0][rows], y_many[rows], epochs=1, verbose=0)
    old = base.get_weights()
    for layer in block:
        layer.trainable = after == "trainable"
    print(f"{before} when compiled, {'fitted, ' if fit_first else ''}then {after}:")
    try:
        model.fit(into_5[0][rows], y_many[rows], epochs=1, verbose=0)
    except ValueError as error:
        print("  fit raises a ValueError:", str(error).split(",")[0])
        return
    changed = any(not np.array_equal(a, b) for a, b in zip(old, base.get_weights()))
    print(f"  fit runs, block 5 changed: {changed}")


# %%
without_compile("frozen", "trainable", fit_first=True)
without_compile("frozen", "trainable", fit_first=False)
without_compile("trainable", "frozen", fit_first=True)

# %% [markdown]
# The optimiser keeps a state for each weight that it trains, and sets that up in the first `fit`. If
# layers are unfrozen after that, it meets weights that it does not know and raises. If `fit` has not
# run yet, they are simply trained. And layers that are frozen later stop at once (with torch; the
# JAX backend raises). In Keras 2 nothing of this happened: `fit` silently went on with the switches
# as they were when it was compiled. One rule covers all versions: **after each change of
# `trainable`, compile**, and choose the rate anew while you are there.

# %% exercise="04.q_recompile"
choice = (
    ### BEGIN SOLUTION
    "a"
    ### END SOLUTION
)
ex.q_recompile.ask(choice)

# %% [markdown]
# ### The right layer instead
#
# Fine-tuning the last block is what articles do. But section 6 found a better layer. So three more
# ways, on the same draws: all five blocks at the low rate; the network cut after the chosen block, and
# that block fine-tuned under a linear head, at both rates.

# %%
into_chosen, heads_chosen = stored_inputs(CHOSEN), first_heads(CHOSEN)
cut_here = {"first": CHOSEN, "last": CHOSEN, "start": heads_chosen}
layers_tuned = {
    "block 5 frozen": tuned["frozen block 5"],
    "block 5 fine-tuned": tuned["head first, low rate"],
    "blocks 1 to 5 fine-tuned": run_draws(stored_inputs(1), heads_5, rate=LOW, first=1),
    f"block {CHOSEN} frozen": run_draws(into_chosen, rate=LOW, epochs=0, **cut_here),
    f"block {CHOSEN} fine-tuned": run_draws(into_chosen, rate=LOW, **cut_here),
    f"block {CHOSEN}, 10 times the rate": run_draws(into_chosen, rate=10 * LOW, **cut_here),
}

# %% tags=["nbval-ignore-output"]
plots.bars(layers_tuned, "Accuracy on test images (%)", title="Which blocks to train")

# %%
by_layer = {name: float(np.mean(values)) for name, values in layers_tuned.items()}
if course.quick:
    frozen_3 = by_layer["block 3 frozen"]
    upto_5 = [average["head first, 10 times that rate"], by_layer["blocks 1 to 5 fine-tuned"]]
    claim(
        "04.all-blocks",
        "Fine-tuning all five blocks gains at least 2 points more than block 5 alone.",
        by_layer["blocks 1 to 5 fine-tuned"] - by_layer["block 5 fine-tuned"],
        at_least=2,
        unit="points",
    )
    claim(
        "04.block-3-over-tuning",
        "Block 3, frozen, is at least 3 points better than any fine-tuning up to block 5.",
        frozen_3 - max(upto_5),
        at_least=3,
        unit="points",
    )
    claim(
        "04.tuning-block-3",
        "Fine-tuning block 3 changes little, even at the better of the two rates.",
        max(by_layer["block 3 fine-tuned"], by_layer["block 3, 10 times the rate"]) - frozen_3,
        between=(-3, 6),
        unit="points",
    )

# %% [markdown]
# Fine-tuning the wrong layer does not make it the right one: block 3, frozen, with a linear head, is
# better than all that was trained up to block 5, and takes a fraction of the time. Fine-tuning block
# 3 itself adds little: with so few labels, the choice of the layer is worth more than training it.

# %%
base.set_weights(pretrained)
base.trainable = False

# %% [markdown]
# ## 9. Feature fusion
#
# **Feature fusion** (特征融合) joins two sets of features of the same image: two layers, two networks,
# or a network and something classic such as a histogram of grey levels. Articles use three ways: the
# sum, the product, and putting one after the other (concatenation, 拼接). For sum and product both
# must have the same number of features, so each is first *projected*: here onto its 16 main
# directions (**PCA**, 主成分分析), found on training images, which needs no labels.

# %%
WIDTH = 16


def shrink(train, test, width=WIDTH):
    """Project both parts onto the main directions of the training part; same scale for all sets."""
    pca = PCA(width).fit(train)
    train, test = pca.transform(train), pca.transform(test)
    return train / train.std(), test / train.std()


def histogram(x):
    """Return for each image the share of its pixels in 16 ranges of brightness."""
    return np.stack([np.histogram(image, 16, (0, 256))[0] / image.size for image in x])


FUSE = {
    "sum": lambda first, second: first + second,
    "product": lambda first, second: first * second,
    "concatenation": lambda first, second: np.concatenate([first, second], axis=1),
}
PAIRS = [
    ("block 2", "block 4"),
    (f"block {CHOSEN}", UNTRAINED),
    (f"block {CHOSEN}", "histogram"),
    (f"block {CHOSEN}", "pixels"),
]

# %% [markdown]
# ### Exercise: fuse
#
# Write the concatenation yourself: project each of two sets onto `width` main directions, found on
# its training part, and put the projections side by side. Do not rescale.


# %% exercise="04.fuse"
def fuse(a_train, a_test, b_train, b_test, width):
    """Return the fused training and test features, each with 2 * width columns."""
    ### BEGIN SOLUTION
    train, test = [], []
    for x_train, x_test in ((a_train, a_test), (b_train, b_test)):
        pca = PCA(width).fit(x_train)
        train.append(pca.transform(x_train))
        test.append(pca.transform(x_test))
    return np.concatenate(train, axis=1), np.concatenate(test, axis=1)
    ### END SOLUTION


ex.fuse.check(fuse)

# %%
fused = {}
for name, k in (("faces", 2), (MANY, 5)):
    y, y_new = targets[name]["y_train"], targets[name]["y_test"]
    sets = feature_sets(name)
    sets["histogram"] = [histogram(targets[name][f"x_{part}"]) for part in ("train", "test")]
    small = {which: shrink(*pair) for which, pair in sets.items()}
    for first, second in PAIRS:
        ways = {"first alone": small[first], "second alone": small[second]}
        ways["first, 32 directions"] = shrink(*sets[first], 2 * WIDTH)
        for way, function in FUSE.items():
            ways[way] = [function(a, b) for a, b in zip(small[first], small[second])]
        for way, (x, x_new) in ways.items():
            runs = [probe(x[rows], y[rows], x_new, y_new) for rows in chosen[name][k]]
            fused[name, f"{first} + {second}", way] = 100 * float(np.mean(runs))

# %%
ALONE = ["first alone", "first, 32 directions", "second alone"]
ways = [*ALONE, *FUSE]
pairs = [f"{first} + {second}" for first, second in PAIRS]


def fusion_table(name):
    """Draw the accuracies of one target."""
    values = [[fused[name, pair, way] for way in ways] for pair in pairs]
    words = {"xlabel": "Fusion (way)", "ylabel": "Features (names)", "unit": "Accuracy (%)"}
    return plots.heatmap(values, ways, pairs, title=f"Fusion, {name}", **words)


# %% tags=["nbval-ignore-output"]
fusion_table("faces")

# %% tags=["nbval-ignore-output"]
fusion_table(MANY)

# %%
better = {
    way: np.mean(
        [fused[n, p, way] - max(fused[n, p, w] for w in ALONE) for n in TARGETS for p in pairs]
    )
    for way in FUSE
}


def gain(name, second, control):
    """Return what concatenating a second set to the chosen block adds to a control."""
    pair = f"block {CHOSEN} + {second}"
    return fused[name, pair, "concatenation"] - fused[name, pair, control]


if course.quick:
    claim(
        "04.product",
        "On average over targets and pairs, the product is worse than the best set alone.",
        better["product"],
        at_most=-2,
        unit="points",
    )
    claim(
        "04.concatenation",
        "Concatenation is the best of the three ways on average, above sum and product.",
        better["concatenation"] - max(better["sum"], better["product"]),
        at_least=2,
        unit="points",
    )
    claim(
        "04.fusion-gain",
        "But it gains no more than 1 point on average over the best set alone.",
        better["concatenation"],
        at_most=1,
        unit="points",
    )
    claim(
        "04.fusion-faces",
        "On the faces, concatenation costs accuracy for each of the pairs with block 3.",
        max(gain("faces", second, "first alone") for second in (UNTRAINED, "histogram", "pixels")),
        at_most=-0.5,
        unit="points",
    )
    claim(
        "04.histogram-patches",
        "On the patches, a histogram beside block 3 helps.",
        gain(MANY, "histogram", "first alone"),
        at_least=0.5,
        unit="points",
    )
    claim(
        "04.histogram-directions",
        "With as many directions of block 3 alone as the control, its gain is smaller.",
        gain(MANY, "histogram", "first, 32 directions") - gain(MANY, "histogram", "first alone"),
        at_most=0,
        unit="points",
    )
    claim(
        "04.histogram-rest",
        "What is left of it then is from -2 to 5 points.",
        gain(MANY, "histogram", "first, 32 directions"),
        between=(-2, 5),
        unit="points",
    )

# %% [markdown]
# Fusion is no free gain. A sum mixes directions that have nothing to do with each other. A product
# keeps only how two such directions go together, and loses what each says alone; networks that fuse
# by product learn the projection for it, from many labels. Concatenation drops no information, and
# still costs accuracy with few labels: on the faces, where block 3 is nearly perfect with two labels
# per class, more features only add chances to fit accidents.
#
# On the patches a histogram beside block 3 gains a little. Before you credit it with that, look at
# two controls. The fused set has 32 columns and block 3 alone had 16: with 32 directions of block 3, a
# part of the gain is there without a second set. And the untrained block knows nothing of any image:
# what it adds in its line of the table shows how much a gain of this size means. The whole block, not
# projected, stands in section 6.

# %% exercise="04.q_fusion"
choice = (
    ### BEGIN SOLUTION
    "c"
    ### END SOLUTION
)
ex.q_fusion.ask(choice)

# %% [markdown]
# ## 10. Other backbones
#
# Three things so far depend on VGG16: the backbone, its `preprocess_input`, and the names of the layers
# at which we cut. For another backbone, take the `preprocess_input` of its own module. Here is what
# four of them make of one pixel; the weights are not needed for that:

# %%
example = np.array([0, 128, 255], "float32").reshape(1, 1, 1, 3)
for name in ("vgg16", "inception_v3", "mobilenet_v3", "densenet"):
    values = np.ravel(getattr(keras.applications, name).preprocess_input(example.copy()))
    print(f"{name:>13}: (0, 128, 255) becomes", ", ".join(f"{value:.2f}" for value in values))

# %% [markdown]
# VGG16 swaps the channels and subtracts, InceptionV3 wants values from -1 to 1, DenseNet divides by a
# standard deviation, and MobileNetV3 takes the pixels as they are: it has its own layer for that. The
# next function takes a backbone with its preprocessing, for any Keras model that ends with a feature
# map:


# %%
def features_of(backbone, preprocess, x):
    """Return the pooled features of RGB images (uint8), at the size that the backbone takes."""
    size = backbone.input_shape[1]
    if x.shape[1] != size:
        x = keras.ops.convert_to_numpy(keras.ops.image.resize(x.astype("float32"), (size, size)))
    model = keras.Model(backbone.input, pool()(backbone.output))
    return extract(x, model, preprocess)


# %% [markdown]
# In the full profile it compares VGG16 with ResNet50, InceptionV3 and MobileNetV3Small, each with its
# own preprocessing. In the quick profile it takes what can be had without a network: our VGG16 cut
# after block 3, the same untrained, the whole of it, and a network of your own, trained on the
# faces and carried over to the patches.

# %%
if course.quick:
    own = small_network(2)
    compile_model(own, 3e-3)
    x = network.preprocess_input(faces["x_train"].astype("float32"))
    own.fit(x, faces["y_train"], batch_size=25, epochs=20, verbose=0)
    prepare = network.preprocess_input
    backbones = {
        "VGG16Mini, block 3": (keras.Model(base.input, chosen_map), prepare),
        "the same, untrained": (keras.Model(raw.input, raw_map), prepare),
        "VGG16Mini, block 5": (base, prepare),
        "own network, from faces": (keras.Model(own.inputs[0], own.layers[-3].output), prepare),
    }
else:
    module = keras.applications
    shape = {"include_top": False, "input_shape": (224, 224, 3)}
    backbones = {
        "VGG16": (base, network.preprocess_input),
        "ResNet50": (module.ResNet50(**shape), module.resnet50.preprocess_input),
        "InceptionV3": (
            module.InceptionV3(include_top=False, input_shape=(299, 299, 3)),
            module.inception_v3.preprocess_input,
        ),
        "MobileNetV3Small": (
            module.MobileNetV3Small(**shape),
            module.mobilenet_v3.preprocess_input,
        ),
    }

# %%
rows_of_table, by_backbone = [], {}
for name, (backbone, prepare) in backbones.items():
    start = time.perf_counter()
    x, x_new = (features_of(backbone, prepare, many[f"x_{part}"]) for part in ("train", "test"))
    milliseconds = 1000 * (time.perf_counter() - start) / (len(x) + len(x_new))
    runs = [probe(x[rows], y_many[rows], x_new, y_test) for rows in chosen[MANY][5]]
    by_backbone[name] = 100 * float(np.mean(runs))
    rows_of_table.append(
        f"{name:>24} {backbone.count_params():11,} {backbone.input_shape[1]:6} "
        f"{x.shape[1]:9} {milliseconds:9.1f} {by_backbone[name]:9.1f}"
    )

# %% tags=["nbval-ignore-output"]
print(
    f"{'backbone':>24} {'parameters':>11} {'pixels':>6} "
    f"{'features':>9} {'ms/image':>9} {'right (%)':>9}"
)
print("\n".join(rows_of_table))

# %%
if course.quick:
    claim(
        "04.own-backbone",
        "A backbone that knows only faces is worse on the patches than VGG16Mini's block 3.",
        by_backbone["VGG16Mini, block 3"] - by_backbone["own network, from faces"],
        at_least=3,
        unit="points",
    )
    claim(
        "04.own-over-block-5",
        "But it is better than VGG16Mini's block 5.",
        by_backbone["own network, from faces"] - by_backbone["VGG16Mini, block 5"],
        at_least=3,
        unit="points",
    )

# %% [markdown]
# A small network that has seen a hundred images of faces carries more to the patches than the last
# block of one that has seen 50,000 photographs. The size of the source is not everything: the layer
# counts. To add a backbone of yours, put one line into `backbones` and run the cells from there
# again.
#
# ## 11. An honest test
#
# Features this good also make it easy to fool yourself. Here are patches cut at random places from a
# narrow strip of ten photographs, so that many overlap. Someone splits them at random.

# %%
SIDE = 32
STRIP = [photographs.brick(), photographs.grass(), photographs.gravel(), photographs.camera()]
STRIP += [photographs.coins(), photographs.moon(), photographs.coffee()[..., 1]]
STRIP += [photographs.chelsea()[..., 1], photographs.astronaut()[..., 1]]
STRIP += [photographs.rocket()[..., 1]]

patches, labels, left = [], [], []
for label, photo in enumerate(STRIP):
    for column in rng.integers(0, 352 - SIDE, size=40):
        row = 100 + int(rng.integers(0, 16))
        patches.append(photo[row : row + SIDE, column : column + SIDE])
        labels.append(label)
        left.append(column)
labels, left = np.array(labels), np.array(left)
vectors = extract(as_rgb(np.stack(patches)), cut_model)
print(f"{len(patches)} patches of {len(STRIP)} photographs, columns {left.min()} to {left.max()}")

# %% [markdown]
# ### Exercise: split without a leak
#
# Write the split that shares no pixel: patches that end left of a border column are for training,
# those that begin at the border or right of it are for testing, and those that lie across it are in
# neither. `left` holds the first column of each patch.


# %% exercise="04.split"
def split(left, side, border):
    """Return two boolean arrays: which patches are for training, and which for testing."""
    ### BEGIN SOLUTION
    return left + side <= border, left >= border
    ### END SOLUTION


ex.split.check(split)

# %%
shuffled = rng.permutation(len(labels)) < len(labels) // 2
train_part, test_part = left + SIDE <= 176, left >= 176
tests = {
    "split at random": (shuffled, ~shuffled),
    "split at a border": (train_part, test_part),
}
honest = {}
for name, (train, test) in tests.items():
    x, y = vectors[train], labels[train]
    honest[name] = 100 * probe(x, y, vectors[test], labels[test])
    near = np.abs(left[test][:, None] - left[train]) < SIDE  # the rows are less than 16 apart
    seen = (near & (labels[test][:, None] == y)).any(axis=1)
    print(f"{name}: {train.sum()} training and {test.sum()} test patches,", end=" ")
    print(f"{seen.sum()} of these share pixels with a training patch")

# %%
claim(
    "04.leak",
    "The random split promises at least 5 points more than the split without a leak.",
    honest["split at random"] - honest["split at a border"],
    at_least=5,
    unit="points",
)

# %% [markdown]
# In the random split most test patches overlap a training patch. Not all of the difference is
# memory: the right of a photograph also looks different from its left. That belongs into an honest
# test, because new images will differ as well. Split by what is independent: by photograph, by
# patient, by day. The *photo patches* of this lesson come from two
# separate parts of each photograph, for this reason.
#
# ## 12. Your own images
#
# One folder with a subfolder for each class, and one call. The next cell writes such a folder from
# scikit-image's photographs, with two faults that real folders have: one file is broken, and one
# class is much smaller.

# %%
import tempfile
from pathlib import Path

from PIL import Image

folder = Path(tempfile.mkdtemp())
for name, photo, count in (("cat", photographs.chelsea(), 16), ("coffee", photographs.coffee(), 6)):
    (folder / name).mkdir()
    for number in range(count):
        row, column = rng.integers(0, 200), rng.integers(0, 300)
        crop = photo[row : row + 100, column : column + 100]
        Image.fromarray(crop).save(folder / name / f"{number:02}.png")
(folder / "cat" / "broken.png").write_bytes(b"\x89PNG and then nothing")

own_images = images.read_folder(folder, size=SIZE)
print(own_images.report)

# %%
x, x_new = (extract(part, cut_model) for part in (own_images.x_train, own_images.x_test))
model = LogisticRegression(max_iter=1000, class_weight="balanced").fit(x, own_images.y_train)
predicted = model.predict(x_new)
for number, name in enumerate(own_images.class_names):
    of_class = own_images.y_test == number
    print(
        f"{name}: {of_class.sum()} test images, predicted as {name}: {(predicted == number).sum()}"
    )

# %% [markdown]
# Replace `folder` by the path of yours. `class_weight="balanced"` gives the small class the same
# weight as the large one. These crops overlap, so this test is no better than the random split of
# section 11; give yours a test that is.
#
# ## Your progress

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A pretrained network needs its own preprocessing, once. Nothing crashes when it is wrong, so check
#   the values.
# - Early blocks keep places and textures, late blocks keep what the source classes needed. Try
#   several and choose by cross-validation: the last one can be worse than no transfer.
# - Frozen features are computed once and stored. Fresh variants in every epoch cannot be stored, a
#   few fixed ones can.
# - Pooled features with a linear head are a strong start with few labels; it is the pooling that
#   helps.
# - Fine-tune with a trained head, a low rate, and `compile` after each change of `trainable`.
# - Compare with pixels, an untrained network and a network from scratch, on a test set that shares
#   nothing with the training set.
#
# ## Where next
#
# [Lesson 05](05_bert_text.ipynb) does the same with text: BERT. Before that, put a folder of your own
# images into section 12.
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
# - F. Chollet, [Transfer learning and fine-tuning](https://keras.io/guides/transfer_learning/),
#   Keras guide.
