# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"] needs="Python and a little NumPy" engine="keras"
# # 00. Start here: your first transfer
#
# **Transfer learning** takes what was learned where data is plentiful, the *source*, to
# where it is scarce, the *target*. Here you do it once, against your own eyes. Then you know how
# this course works.
#
# - Play a game, and let a network play it: with one example per class.
# - Write the step that learns, and the number that says how well it did.
# - Find out what the network's training was worth.
# - Choose where to go next.
#
# ## 1. The game
#
# Click into a cell and press **Shift+Enter**: its code runs. Every lesson begins with this one.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("00")
ex = course.exercises

# %% [markdown]
# Ten photographs were cut into pieces of 64 × 64 pixels: pieces to learn from, the **training set**, in
# the left half of each photograph, pieces to be tested on, the **test set**, in the right half. Here is
# one piece of each left half.

# %% tags=["keep", "slide"]
import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import normalize

from transfer_lib import doctor, images, networks, plots
from transfer_lib.data import pieces

game = pieces.load()
rng = np.random.default_rng(course.seed)
examples = np.array([rng.choice(np.flatnonzero(game.y_train == c)) for c in range(10)])
plots.image_grid(game.x_train[examples], game.class_names, ncols=5)

# %% [markdown] tags=["slide"]
# **Your turn.** From which photograph is each of these ten pieces? They are from the right halves.
# Look, guess, go on. There is no second try.

# %% tags=["hide-input", "slide"]
rows = rng.permutation([rng.choice(np.flatnonzero(game.y_test == c)) for c in range(10)])
plots.guess(game.x_test[rows], game.y_test[rows], game.class_names)

# %% [markdown] tags=["slide"]
# ## 2. A network plays
#
# EfficientNet-Lite0 is a **neural network**: a chain of layers, each of which computes numbers from
# those of the one before, by *weights* that training sets. It was trained to tell 1,000 kinds of
# things apart on 1.3 million photographs of the web, ImageNet. That is the source. None of its kinds
# is "from this photograph of coffee". So we do not ask for its answer. We take what stands before
# the answer: 1,280 numbers for each picture, its **features**. Only their proportions shall count,
# so `normalize` divides each row by its length.


# %% tags=["keep"]
def features_of(network, images):
    """Return one row of 1,280 features of length 1 for each image, shape (n, 1280)."""
    x = networks.preprocess("efficientnet-lite0", images)
    maps = network.predict(x, verbose=0)  # (n, height, width, 1280): the features of each place
    return normalize(maps.mean(axis=(1, 2)))


# %%
trained = networks.load("efficientnet-lite0", include_top=False)
train, test = features_of(trained, game.x_train), features_of(trained, game.x_test)

# %% [markdown] tags=["slide"]
# ### Exercise: learn and classify
#
# Each class becomes one row, the mean of the features of its examples. That is all the learning
# there is. A new piece gets the class whose mean is nearest. For that, `np.linalg.norm(new - mean,
# axis=1)` gives the distance of each new row from one mean. Replace the `...` by your code and run
# the cell; `ex.classify.hint()` helps.


# %% tags=["keep", "slide"] exercise="00.classify"
def classify(features, labels, new):
    """Return for each new row the class, 0, 1, 2, ..., whose mean of features is nearest."""
    ### BEGIN SOLUTION
    distances = []
    for number in range(labels.max() + 1):
        mean = features[labels == number].mean(axis=0)
        distances.append(np.linalg.norm(new - mean, axis=1))
    return np.argmin(distances, axis=0)
    ### END SOLUTION


ex.classify.check(classify)

# %% [markdown] tags=["slide"]
# ### Exercise: how good is it?
#
# **Accuracy** is the fraction of predictions that equal their label.


# %% tags=["keep", "slide"] exercise="00.accuracy"
def accuracy(predicted, labels):
    """Return the fraction of right predictions; both arguments are arrays of whole numbers."""
    ### BEGIN SOLUTION
    right = predicted == labels
    return right.mean()
    ### END SOLUTION


ex.accuracy.check(accuracy)

# %% [markdown]
# From here on the lesson uses its own versions of both, so it runs whether you solved them or not.

# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_00 import accuracy, classify

print(f"{accuracy(classify(train[examples], game.y_train[examples], test), game.y_test):.0%}")

# %% [markdown] tags=["slide"]
# That is the share of 250 pieces, after one example per class. Guessing blindly gets 10 %. How many of your ten were right?
#
# ## 3. What was the training worth?
#
# Perhaps any such network would do, or the colours alone. So there are three **controls**:
# the same network *untrained*, its weights random; the *pixels* themselves; a *histogram*, which
# counts how often each colour occurs. All of them learn in the same way. Predict first:

# %% tags=["slide"]
ex.q_untrained.ask(...)

# %% [markdown]
# Each control becomes rows of numbers too:


# %% tags=["keep"]
def histogram(images):
    """Return how often each of 8 levels of red, green and blue occurs, shape (n, 24)."""
    levels = images // 32
    counts = [(levels == level).mean(axis=(1, 2)) for level in range(8)]
    return np.concatenate(counts, axis=1)


def scores(train, y_train, test, y_test, count, seed, draws=5):
    """Return the accuracies after learning from `count` examples per class, one per draw."""
    draw = StratifiedShuffleSplit(draws, train_size=10 * count, random_state=seed)
    return [
        accuracy(classify(train[rows], y_train[rows], test), y_test)
        for rows, _ in draw.split(train, y_train)
    ]


# %%
untrained = networks.load("efficientnet-lite0", include_top=False, trained=False)
both = game.x_train, game.x_test
kinds = {
    "trained": (train, test),
    "untrained": [features_of(untrained, x) for x in both],
    "pixels": [normalize(x[:, ::4, ::4].reshape(len(x), -1) / 255) for x in both],
    "histogram": [normalize(histogram(x)) for x in both],
}
counts = (1, 2, 5, 10)
results = {
    name: {k: scores(a, game.y_train, b, game.y_test, k, course.seed) for k in counts}
    for name, (a, b) in kinds.items()
}

# %% [markdown]
# The knob sets how many examples each class has. It stands at 1. Before you turn it: which bar will
# grow most, and will one overtake another?


# %% tags=["hide-input", "nbval-ignore-output", "slide"]
def draw_bars(count):
    values = {name: [100 * x for x in by_count[count]] for name, by_count in results.items()}
    title = f"Examples per class: {count}"
    fig = plots.bars(values, "Right of 250 test pieces (%)", title=title)
    fig.axes[0].set_xlim(0, 100)  # the same scale at each place of the knob
    return fig


plots.interactive(draw_bars, count=list(counts), descriptions={"count": "Examples per class"})

# %% tags=["hide-input", "slide"]
from transfer_lib.claims import claim

claim("00.untrained")
claim("00.histogram")
claim("00.one")

# %% [markdown] tags=["slide"]
# The architecture alone is worth little; what ImageNet's photographs have left in the weights is
# what transfers. And a histogram, 24 numbers, keeps up with the untrained network or passes it:
# measure the simple thing before you praise the big one.
#
# ## 4. How a check answers
#
# A check compares what your code *does*, so every way of writing it counts. When an answer is wrong,
# it looks for the mistake behind it. `judge` is `check` without keeping score:


# %%
ex.accuracy.judge(lambda predicted, labels: np.sum(predicted == labels))

# %% [markdown]
# Four outcomes are possible: not attempted, your code raised an error, not yet, right. `.hint()` gives
# the next hint, `.solution()` the solution; there is no shame in it.

# %% [markdown] tags=["optional"]
# ## 5. Optional: a photograph of your own
#
# Asked for its own 1,000 kinds, the network *predicts*. That is not yet transfer, but it shows what
# it knows. Choose a picture, or run the cell for the coffee. Nothing leaves this machine.

# %%
from PIL import Image

whole = networks.load("efficientnet-lite0")


def top_3(picture):
    small = np.asarray(Image.fromarray(picture).resize((224, 224)))
    scores = whole.predict(networks.preprocess("efficientnet-lite0", small[None]), verbose=0)[0]
    for number in scores.argsort()[:-4:-1]:
        print(f"{scores[number]:6.1%}  {networks.class_names('efficientnet-lite0')[number]}")


# %% tags=["nbval-ignore-output"]
top_3(pieces.photographs()["coffee"])
images.upload_button(top_3)

# %% [markdown]
# ## 6. Is this machine fit for the rest?
#
# The doctor says only what needs attention. A warning does not stop you.

# %% tags=["nbval-ignore-output"]
doctor.problems()

# %% [markdown]
# Two profiles run the same cells. **quick** needs no network and no GPU: real data and real weights
# are installed with the course; what was written for the course is called so. **full** downloads the
# well-known large sets and models, and is the default with an NVIDIA GPU.
# `transfer_lib.setup("00", profile="full")` chooses.
#
# ## 7. The lessons
#
# - **Half a day**: 00, 01, 03, then 04 (pictures) or 06 (texts). **A day**: 00, 01, 03, 04, 06, 07.
#   **All**: in the order of the numbers.
# - Every lesson runs by itself: it brings its own set-up and data. To follow it you need what the table
#   says; what is marked *Optional* can be skipped.
#
# LESSON_MAP

# %%
course.progress()

# %% [markdown] tags=["slide"]
# ## Key points
#
# - Features of a network that was trained elsewhere, and one example per class, already make a
#   classifier.
# - What the training was worth shows against the same network untrained.
# - A simple baseline belongs beside it.
#
# **Next:** [lesson 01](01_what_transfers.ipynb) says what exactly transfers, and when it harms.
# Variables got mixed up? **Kernel → Restart Kernel and Run All Cells**. Something does not run?
# `python -m transfer_lib doctor`. The folder `solutions` has the answers in.
#
# ## Sources
#
# - M. Tan and Q. Le (2019), [EfficientNet](https://arxiv.org/abs/1905.11946); Lite0's weights are
#   Google's, Apache-2.0.
# - The photographs come with scikit-image and scikit-learn, which name the author of each.
