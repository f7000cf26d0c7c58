# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Python, NumPy arrays, derivatives, matrices and eigenvectors" engine="keras"
# # 02. Two losses, one total
#
# A transfer method is a loss with a story. This lesson takes the losses without the story. Each
# formula is stated with its symbols and shapes, differentiated by hand, written in a few lines
# of NumPy, compared with a library, drawn, and then broken on purpose.
#
# ## What you will be able to do
#
# 1. derive the gradients of the mean squared error and of the cross-entropy, and check them;
# 2. weight a source loss against a target loss, and say what λ does to bias and to variance;
# 3. tell a sum of losses from a mean, and name the weight that each domain really gets;
# 4. choose a learning rate, and predict what a warm start saves.
#
# Terms are explained where they first appear; the [glossary](glossary.md) has them all in
# English and Chinese.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("02")
ex = course.exercises

# %% tags=["keep"]
import ipywidgets as widgets
import numpy as np

from transfer_lib import plots
from transfer_lib.claims import claim

# %% [markdown]
# ## 1. Mean squared error
#
# | symbol | meaning | shape |
# |---|---|---|
# | $X$ | inputs, one example per row | $(N, d)$ |
# | $y$ | true values | $(N,)$ |
# | $w$ | weights of a linear model | $(d,)$ |
# | $\hat y = Xw$ | predictions | $(N,)$ |
#
# The **mean squared error** (均方误差) is
#
# $$L(\hat y) = \frac1N \sum_{i=1}^{N} (y_i - \hat y_i)^2 .$$
#
# Only the $i$-th term holds $\hat y_i$, so its derivative is
#
# $$\frac{\partial L}{\partial \hat y_i} = \frac{2}{N} (\hat y_i - y_i).$$


# %% tags=["keep"]
def mse(y, predicted):
    """Return the mean squared error; both arguments have the shape (N,)."""
    return np.mean((y - predicted) ** 2)


def mse_gradient(y, predicted):
    """Return the derivative of the error by each prediction, shape (N,)."""
    return 2 / len(y) * (predicted - y)


# %% [markdown]
# Two ways to check a gradient. **Finite differences** move one entry at a time and see how the
# loss moves; they need nothing but the loss. **Automatic differentiation** (自动微分) applies the
# chain rule to every operation; here torch does it. A library's own function checks the loss.


# %% tags=["keep"]
def finite_differences(loss, at, step=1e-6):
    """Return the gradient of ``loss`` at an array, by central differences."""
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        move = np.zeros_like(at)
        move[index] = step
        gradient[index] = (loss(at + move) - loss(at - move)) / (2 * step)
    return gradient


# %% tags=["keep"]
import torch


def autograd(loss, at):
    """Return the gradient at an array of a loss that is written in torch."""
    at = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    loss(at).backward()
    return at.grad.numpy()


# %%
import keras

y = np.array([2.0, 0.5, -1.0, 3.0])
predicted = np.array([1.5, 0.0, -1.0, 5.0])
by_hand = mse_gradient(y, predicted)
by_differences = finite_differences(lambda p: mse(y, p), predicted)
by_torch = autograd(lambda p: torch.nn.functional.mse_loss(p, torch.tensor(y)), predicted)

print("loss:", mse(y, predicted), "  gradient:", by_hand)
by_keras = float(keras.losses.MeanSquaredError()(y, predicted))
print("Keras has the same loss:", np.isclose(mse(y, predicted), by_keras))
print("finite differences agree:", np.allclose(by_hand, by_differences))
print("torch autograd agrees:", np.allclose(by_hand, by_torch))

# %% [markdown]
# Now the weights. Since $\hat y_i = \sum_j X_{ij} w_j$, the chain rule gives
#
# $$\frac{\partial L}{\partial w_j} = \sum_i \frac{\partial L}{\partial \hat y_i} X_{ij}
# \qquad\text{or}\qquad \nabla_w L = \frac2N X^\top (Xw - y), \quad\text{shape } (d,).$$
#
# **Exercise.** Write it in NumPy.


# %% tags=["keep"] exercise="02.weight_gradient"
def weight_gradient(X, y, w):
    """Return the gradient of the mean squared error of ``X @ w`` by ``w``, shape (d,)."""
    ### BEGIN SOLUTION
    return 2 / len(y) * X.T @ (X @ w - y)
    ### END SOLUTION


ex.weight_gradient.check(weight_gradient)

# %% [markdown]
# The $\frac1N$ matters. Without it the gradient grows with the number of examples. The limit of the
# learning rate then falls as $1/N$: 100 times the examples, a hundredth of the rate.
#
# **Break it.** The gradient of an example grows with its error, without limit. One mistyped label
# can turn the whole fit.

# %%
rng = np.random.default_rng([course.seed, 1])
x = np.linspace(0, 1, 20)
clean = 1 + 2 * x + 0.1 * rng.normal(size=20)
mistyped = clean.copy()
mistyped[-1] *= 10  # the decimal point slipped

line, bent = np.polyfit(x, clean, 1), np.polyfit(x, mistyped, 1)
fig, ax = plots.figure(
    f"20 points near a line. Least squares finds the slope {line[0]:.1f}. With the last label "
    f"multiplied by 10 it finds the slope {bent[0]:.1f}, and misses most points.",
    figsize=(6.4, 3.4),
)
ax.plot(x, mistyped, "o", color=plots.COLORS[3], label="data, the last label mistyped")
ax.plot(x, np.polyval(line, x), "-", marker="", label=f"fit to clean labels: slope {line[0]:.1f}")
ax.plot(x, np.polyval(bent, x), "--", marker="", label=f"fit with the mistyped one: {bent[0]:.1f}")
ax.set(xlabel="Input (no unit)", ylabel="Output (no unit)", title="One wrong label among twenty")
ax.legend()
fig

# %% [markdown]
# One label of twenty has more than doubled the slope. In transfer learning the few target labels
# weigh a lot, so look at each of them.

# %% [markdown]
# ## 2. Cross-entropy
#
# | symbol | meaning | shape |
# |---|---|---|
# | $z$ | **logits**: scores of $K$ classes, any real numbers | $(N, K)$ |
# | $p = \mathrm{softmax}(z)$ | probabilities, $p_{ik} = e^{z_{ik}} / \sum_l e^{z_{il}}$ | $(N, K)$ |
# | $y$ | the true class of each example, $0 \dots K-1$ | $(N,)$ |
#
# The **cross-entropy** (交叉熵) is the mean of $-\log$ of the probability given to the truth:
#
# $$L(z) = -\frac1N \sum_i \log p_{i y_i}
#        = \frac1N \sum_i \Big( \operatorname{lse}(z_i) - z_{i y_i} \Big), \qquad
#   \operatorname{lse}(z_i) = \log \sum_k e^{z_{ik}} .$$
#
# The second form needs no division and no logarithm of a small number. With
# $\partial \operatorname{lse} / \partial z_{ik} = p_{ik}$ the gradient is
#
# $$\frac{\partial L}{\partial z_{ik}} = \frac1N \big( p_{ik} - [k = y_i] \big),$$
#
# where $[k = y_i]$ is 1 for the true class and 0 for the others.
#
# One thing can go wrong: $e^{1000}$ is too large for a float. For any number $m$,
# $\operatorname{lse}(z) = m + \operatorname{lse}(z - m)$. With $m = \max_k z_k$ the largest
# exponent is 0, and nothing overflows.


# %% tags=["keep"]
def logsumexp(z):
    """Return log(sum(exp(z))) of each row, shape (N, K) to (N, 1)."""
    largest = z.max(axis=1, keepdims=True)
    return largest + np.log(np.exp(z - largest).sum(axis=1, keepdims=True))


def softmax(z):
    """Return the probabilities of each row, shape (N, K)."""
    return np.exp(z - logsumexp(z))


# %%
large = np.array([[1000.0, 999.0, 0.0]])
with np.errstate(over="ignore", invalid="ignore"):
    print("exp first, then divide:", np.exp(large) / np.exp(large).sum())
print("with the largest taken out:", softmax(large).round(3))

# %% [markdown]
# **Exercise.** Write the cross-entropy of logits. It must survive logits of 1000. The functions of
# the last cell may help.


# %% tags=["keep"] exercise="02.cross_entropy"
def cross_entropy(z, y):
    """Return the mean cross-entropy of logits ``z`` (N, K) and classes ``y`` (N,)."""
    ### BEGIN SOLUTION
    return np.mean(logsumexp(z)[:, 0] - z[np.arange(len(y)), y])
    ### END SOLUTION


ex.cross_entropy.check(cross_entropy)


# %% [markdown]
# The gradient in code, against torch, and the pieces against SciPy:


# %% tags=["keep"]
def cross_entropy_gradient(z, y):
    """Return the gradient by the logits, shape (N, K)."""
    one_hot = np.eye(z.shape[1])[y]
    return (softmax(z) - one_hot) / len(y)


from scipy import special

rng = np.random.default_rng([course.seed, 2])
z, labels = 3 * rng.normal(size=(5, 4)), np.array([0, 3, 1, 1, 2])
by_torch = autograd(lambda z: torch.nn.functional.cross_entropy(z, torch.tensor(labels)), z)
print("torch autograd agrees:", np.allclose(cross_entropy_gradient(z, labels), by_torch))
print("SciPy's logsumexp agrees:", np.allclose(logsumexp(z)[:, 0], special.logsumexp(z, axis=1)))
print("each row of the gradient sums to 0:", np.allclose(by_torch.sum(axis=1), 0))

# %% [markdown]
# **Break it.** A common mistake: the last layer has `activation="softmax"`, and the loss is told
# `from_logits=True`. Then softmax is applied twice. No error is raised. What does the mistake cost?
# Ten classes; the true class has the logit $m$, all others 0.

# %%
margin = np.linspace(-10, 15, 101)
logits = np.zeros((101, 10))
logits[:, 0] = margin
first_class = np.zeros(101, dtype=int)


def losses(scores):
    """Return Keras's cross-entropy of each row of scores, taken as logits, shape (101,)."""
    loss = keras.losses.sparse_categorical_crossentropy(first_class, scores, from_logits=True)
    return keras.ops.convert_to_numpy(loss)


def total_twice(z):
    return torch.nn.functional.cross_entropy(z.softmax(1), torch.tensor(first_class))


once, twice = losses(logits), losses(softmax(logits))
slope_once = -len(margin) * cross_entropy_gradient(logits, first_class)[:, 0]
slope_twice = -len(margin) * autograd(total_twice, logits)[:, 0]
print(f"Certain and right: softmax once {once[-1]:.2f}, twice {twice[-1]:.2f}")
print(f"Certain and wrong: gradient once {slope_once[0]:.2f}, twice {slope_twice[0]:.5f}")
print("the floor is log(1 + 9/e):", np.isclose(twice[-1], np.log(1 + 9 / np.e), atol=1e-3))

# %%
fig, axes = plots.figure(
    f"Two panels over the logit of the true class, from -10 to 15. Left: the loss with softmax "
    f"once falls from {once[0]:.1f} to {once[-1]:.1f}; with softmax twice it stays between "
    f"{twice[0]:.1f} and {twice[-1]:.1f}. Right: the gradient with softmax once is near 1 while "
    f"the example is wrong; with softmax twice it is never above {slope_twice.max():.2f}, and "
    "near 0 where the example is wrong.",
    ncols=2,
    figsize=(8.6, 3.4),
)
for ax, pair in zip(axes, [(once, twice), (slope_once, slope_twice)]):
    ax.plot(margin, pair[0], marker="", label="softmax once")
    ax.plot(margin, pair[1], marker="", label="softmax twice")
    ax.set_xlabel("Logit of the true class (no unit)")
axes[0].set(ylabel="Loss (nats)", title="Loss")
axes[1].set(ylabel="Gradient, sign turned (nats)", title="Pull on the true logit")
axes[0].legend()
fig

# %% [markdown]
# Softmax twice hides the truth in two ways. The loss cannot fall below a floor, however right the
# network is. And an example that is clearly wrong pulls with almost no force, although it should
# pull hardest.
#
# **Train it both ways.** One layer of weights on handwritten digits, 300 gradient steps with the
# learning rate 1. Everything is equal but the second softmax.

# %%
from sklearn.datasets import load_digits

digits_x, digits_y = load_digits(return_X_y=True)
digits_x, digits_true = torch.tensor(digits_x / 16), torch.tensor(digits_y)


# %%
def train_on_digits(softmax_twice, steps=300, rate=1.0):
    """Return the last loss and the accuracy on the training images, in percent."""

    def loss(W):
        scores = digits_x @ W
        scores = scores.softmax(1) if softmax_twice else scores
        return torch.nn.functional.cross_entropy(scores, digits_true)

    W = np.zeros((64, 10))
    for _ in range(steps):
        W = W - rate * autograd(loss, W)
    right = (digits_x.numpy() @ W).argmax(axis=1) == digits_y
    return float(loss(torch.tensor(W))), 100 * np.mean(right)


# %%
trained = {name: train_on_digits(name == "twice") for name in ("once", "twice")}
for name, (last, right) in trained.items():
    print(f"softmax {name:5}: loss {last:.2f}, accuracy {right:.0f} %")

# %%
claim(
    "02.softmax-twice-accuracy",
    "With softmax twice, at least 5 points less of the digits are read right.",
    trained["once"][1] - trained["twice"][1],
    at_least=5,
    unit="points",
)

# %% [markdown]
# The mistaken one learns less, but it learns: that is why the mistake survives.

# %%
ex.q_softmax.ask(...)

# %% [markdown]
# ## 3. Two losses, one total
#
# A **domain** (领域) is a kind of data: one distribution of inputs and outputs. The **source** (源) is
# the domain with many labels, the **target** (目标) the one whose outputs you want to predict.
#
# Now the two domains share one model. The source has $N$ examples $(X_s, y)$, the target has $M$
# examples $(X_t, z)$, and $M$ is small. Both are predicted with the same weights $w$:
#
# $$L_\text{shared} = \frac1N \sum_{i=1}^{N} (y_i - \hat y_i)^2, \qquad
#   L_\text{task} = \frac1M \sum_{j=1}^{M} (z_j - \hat z_j)^2, \qquad
#   L_\text{total} = L_\text{shared} + \lambda L_\text{task}.$$
#
# The number $\lambda \ge 0$ says how much one unit of target error counts. The gradient is the sum
# of two gradients that you know:
#
# $$\nabla_w L_\text{total} = \frac2N X_s^\top (X_s w - y) + \lambda \frac2M X_t^\top (X_t w - z).$$
#
# **Exercise.** Write the total loss, from true values and predictions.


# %% tags=["keep"] exercise="02.total_loss"
def total_loss(y, y_hat, z, z_hat, lam):
    """Return L_shared + lam * L_task; source arrays are (N,), target arrays (M,)."""
    ### BEGIN SOLUTION
    return np.mean((y - y_hat) ** 2) + lam * np.mean((z - z_hat) ** 2)
    ### END SOLUTION


ex.total_loss.check(total_loss)

# %% [markdown]
# Set the gradient to zero and collect $w$. With $A_s = \frac1N X_s^\top X_s$,
# $b_s = \frac1N X_s^\top y$, and $A_t$, $b_t$ alike, the minimiser is
#
# $$w(\lambda) = (A_s + \lambda A_t)^{-1} (b_s + \lambda b_t).$$
#
# Its two ends are familiar. At $\lambda = 0$ it is $A_s^{-1} b_s$, the fit to the source alone.
# Divide both brackets by $\lambda$ and let it grow: it tends to $A_t^{-1} b_t$, the fit to the
# target alone, if $A_t$ can be inverted. If $M < d$ it cannot: then the target fixes what it can,
# and the source decides the rest.


# %% tags=["keep"]
def total_minimiser(X_s, y, X_t, z, lam):
    """Return the weights (d,) that minimise L_shared + lam * L_task."""
    A = X_s.T @ X_s / len(y) + lam * X_t.T @ X_t / len(z)
    b = X_s.T @ y / len(y) + lam * X_t.T @ z / len(z)
    return np.linalg.solve(A, b)


def sample(n, w, covariance, rng, noise=1.0):
    """Draw n examples with these weights: inputs (n, d), outputs (n,)."""
    X = rng.multivariate_normal(np.zeros(len(w)), covariance, size=n)
    return X, X @ w + noise * rng.normal(size=n)


# %%
w_source, w_target = np.array([2.0, 0.0]), np.array([1.4, 1.0])
tilted, crossed = [[1, 0.8], [0.8, 1]], [[1, -0.5], [-0.5, 1]]
rng = np.random.default_rng([course.seed, 3])
X_s, y_s = sample(400, w_source, tilted, rng)
X_t, y_t = sample(6, w_target, crossed, rng)
X_test, y_test = sample(2000, w_target, crossed, rng)

from sklearn.linear_model import LinearRegression

weights = np.r_[np.full(400, 1 / 400), np.full(6, 3.0 / 6)]  # 1/N, and lambda/M for lambda = 3
library = LinearRegression(fit_intercept=False)
library.fit(np.vstack([X_s, X_t]), np.r_[y_s, y_t], sample_weight=weights)
print("scikit-learn agrees:", np.allclose(library.coef_, total_minimiser(X_s, y_s, X_t, y_t, 3.0)))

# %% [markdown]
# Move λ with the slider (with the keyboard: Tab to it, then the arrow keys). The cross runs along
# the path from the source's weights to the fit of the six target examples.

# %%
lams = np.logspace(-3, 3, 25)
lam_path = np.array([total_minimiser(X_s, y_s, X_t, y_t, lam) for lam in lams])
lam_errors = {
    "source error": [mse(y_s, X_s @ w) for w in lam_path],
    "target error, 6 labels seen": [mse(y_t, X_t @ w) for w in lam_path],
    "target error, new data": [mse(y_test, X_test @ w) for w in lam_path],
}


def draw_lambda(step):
    now = {name: values[step] for name, values in lam_errors.items()}
    words = ", ".join(f"{name} {value:.2f}" for name, value in now.items())
    fig, (left, right) = plots.figure(
        f"λ = {lams[step]:.3g}: weights ({lam_path[step, 0]:.2f}, {lam_path[step, 1]:.2f}), {words}.",
        ncols=2,
        figsize=(9, 3.8),
        layout="none",  # a fixed frame is drawn twice as fast
    )
    left.plot(*lam_path.T, "-", marker="", label="path of the minimiser")
    left.plot(*w_source, "s", color=plots.COLORS[1], label="true source weights")
    left.plot(*w_target, "^", color=plots.COLORS[2], label="true target weights")
    left.plot(*lam_path[step], "x", color="black", markersize=11, markeredgewidth=3, label="now")
    left.set(xlabel="$w_1$ (no unit)", ylabel="$w_2$ (no unit)", title="Weights")
    left.margins(0.25)
    for name, values in lam_errors.items():
        right.plot(lams, values, label=name, markevery=[step])
    right.axvline(lams[step], color="black", linewidth=1)
    right.set(xscale="log", xlabel="λ (no unit)", ylabel="Squared error (no unit)", title="Errors")
    right.minorticks_off()
    left.legend(fontsize=9)
    right.legend(fontsize=9)
    fig.subplots_adjust(left=0.08, right=0.99, bottom=0.15, top=0.91, wspace=0.2)
    return fig


slider = widgets.SelectionSlider(
    options=[(f"{lam:.3g}", step) for step, lam in enumerate(lams)], value=12
)
plots.interactive(draw_lambda, step=slider, descriptions={"step": "λ"})

# %% [markdown]
# The path is not a straight line: each domain pulls hardest in the direction in which its own
# inputs vary most. The source error only rises with λ and the error on the seen target labels
# only falls. Neither says which λ is good. The error on new target data does. Here we can compute it
# because we made the data. In practice choose λ by cross-validation on the target's training
# labels, never on test rows; [lesson 09](09_aligning_domains.ipynb) chooses its α so.
#
# **Which λ is best?** It depends on how many target labels there are. The next cell takes ten
# weights, 500 source examples and a growing number of target labels, and measures the error on
# new target data. Mean of 60 draws each.


# %% tags=["keep"]
def task_pair(rng, d=10, shift=0.3):
    """Return source and target weights, (d,) each, that differ by about ``shift`` per entry."""
    w_s = rng.normal(size=d)
    return w_s, w_s + shift * rng.normal(size=d)


# %% tags=["keep"]
def excess_error(n_target, lam_grid, rng, n_source=500, d=10):
    """Return the expected extra error on new target data for each lambda, one draw."""
    w_s, w_t = task_pair(rng, d)
    source = sample(n_source, w_s, np.eye(d), rng)
    target = sample(n_target, w_t, np.eye(d), rng)
    fits = [total_minimiser(*source, *target, lam) for lam in lam_grid]
    return [np.sum((w - w_t) ** 2) for w in fits]


grid = np.logspace(-3, 3, 19)
rng = np.random.default_rng([course.seed, 4])
curves = {
    n: np.mean([excess_error(n, grid, rng) for _ in range(60)], axis=0)
    for n in (5, 15, 40, 100, 400)
}

# %% [markdown]
# Why does `excess_error` sum squared differences of weights? With inputs of covariance $I$,
# the expected squared error on new data is $\lVert w - w_t \rVert^2$ plus the noise, and the
# noise is the same for everyone.

# %%
best = {n: grid[np.argmin(curve)] for n, curve in curves.items()}
fig, ax = plots.figure(
    "Extra error on new target data over λ from 0.001 to 1000, one curve per number of target "
    "labels: it falls, then rises for few labels and stays flat for many. The best λ: "
    + "; ".join(
        f"{n} labels, λ = {lam:.2g}, error {curves[n].min():.2f}" for n, lam in best.items()
    )
    + ".",
)
for n, curve in curves.items():
    lowest = [int(np.argmin(curve))]
    ax.plot(grid, curve, label=f"{n} target labels", markevery=lowest)
ax.set(xscale="log", yscale="log", xlabel="λ (no unit)")
ax.set(ylabel="Extra error (no unit)", title="The best λ, marked, moves with the labels")
ax.legend()
fig

# %%
few, many = curves[15], curves[400]
claim(
    "02.lambda-interior",
    "With 15 target labels for 10 weights, the best λ has at least 25 % less extra error than the "
    "better of the two ends, source alone and target alone.",
    1 - few.min() / min(few[0], few[-1]),
    at_least=0.25,
)
claim(
    "02.lambda-grows",
    "The best λ for 400 target labels is at least 10 times the best λ for 5.",
    best[400] / best[5],
    at_least=10,
)
claim(
    "02.lambda-no-gain",
    "With 400 target labels the best λ has at most 15 % less extra error than the target alone.",
    1 - many.min() / many[-1],
    at_most=0.15,
)

# %% [markdown]
# With few labels both ends are bad: λ near 0 has the source's weights, which are wrong here, and a
# large λ follows the noise of a few labels. The best λ lies between. With many labels the curve
# is flat on the right: then the source has little to give.

# %%
ex.q_lambda.ask(...)

# %% [markdown]
# ## 4. A sum is not a mean
#
# Papers often write the objective of transfer as a sum over all $n_s$ source and $n_t$ target
# examples:
#
# $$R(f) = \sum_{i=1}^{n_s} L\big(y_i^s, f(x_i^s)\big) + \lambda \sum_{j=1}^{n_t} L\big(y_j^t, f(x_j^t)\big).$$
#
# It looks like $L_\text{total}$, and it is not. Write each sum as its number of terms times its
# mean, $\bar L_s$ or $\bar L_t$:
#
# $$R(f) = n_s \bar L_s + \lambda n_t \bar L_t
#        = n_s \Big( \bar L_s + \underbrace{\lambda \tfrac{n_t}{n_s}}_{\text{effective weight}} \bar L_t \Big).$$
#
# A factor in front moves no minimum. So the sum with $\lambda$ has the minimiser of the means with
# $\lambda n_t / n_s$. The gradient shows the same: $\nabla R = n_s (\nabla \bar L_s + \lambda
# \frac{n_t}{n_s} \nabla \bar L_t)$.


# %% tags=["keep"]
def sum_minimiser(X_s, y, X_t, z, lam):
    """Return the weights (d,) that minimise the sums over source and target examples."""
    return np.linalg.solve(X_s.T @ X_s + lam * X_t.T @ X_t, X_s.T @ y + lam * X_t.T @ z)


# %%
as_sum = sum_minimiser(X_s, y_s, X_t, y_t, lam=3.0)
as_mean = total_minimiser(X_s, y_s, X_t, y_t, lam=3.0 * len(y_t) / len(y_s))
print("sum with 3 = mean with 3 * n_t / n_s:", np.allclose(as_sum, as_mean))

# %% [markdown]
# **Break it.** Keep 20 target labels and λ = 1, and let the source grow until it is a thousand
# times larger. Does more data help? Source and target weights differ by 0.3 per entry, as before,
# or by 0.05 only. Mean of 40 draws each.

# %%
sizes, names = (20, 200, 2000, 20000), ("sum, λ = 1", "means, λ = 1", "source alone")


def extra_errors(shift, n_source, draw):
    """Return the extra error of the sum, of the means and of the source alone, one draw."""
    rng = np.random.default_rng([course.seed, 5, draw])  # for each size the same targets
    w_s, w_t = task_pair(rng, shift=shift)
    target = sample(20, w_t, np.eye(10), rng)
    data = *sample(n_source, w_s, np.eye(10), rng), *target
    fits = sum_minimiser(*data, 1.0), total_minimiser(*data, 1.0), total_minimiser(*data, 0.0)
    return [np.sum((w - w_t) ** 2) for w in fits]


extra = {}
for shift in (0.3, 0.05):
    means = [np.mean([extra_errors(shift, n, k) for k in range(40)], axis=0) for n in sizes]
    extra[shift] = dict(zip(names, np.transpose(means)))

# %%
told = [
    f"Weights differ by {shift}: "
    + "; ".join(f"{name}, from {v[0]:.2f} to {v[-1]:.2f}" for name, v in by_name.items())
    for shift, by_name in extra.items()
]
words = (
    "Two panels: extra error on new target data with 20 target labels, over 20 to 20,000 source "
    f"examples. {'. '.join(told)}. With 20,000 source examples the sum is where the source alone "
    "is: above the means on the left, below them on the right."
)

# %%
fig, axes = plots.figure(words, ncols=2, figsize=(9, 3.6))
for ax, (shift, by_name) in zip(axes, extra.items()):
    for name, values in by_name.items():
        ax.plot(sizes, values, label=name)
    ax.set(xscale="log", xlabel="Source examples (count)", ylim=(0, None))
    ax.set_title(f"Weights differ by {shift}")
axes[0].set_ylabel("Extra error (no unit)")
axes[0].legend()
fig

# %%
claim(
    "02.sum-outvotes",
    "Weights that differ by 0.3, a source a thousand times larger: the sum with λ = 1 has at least "
    "1.5 times the extra error of the means with λ = 1.",
    extra[0.3]["sum, λ = 1"][-1] / extra[0.3]["means, λ = 1"][-1],
    at_least=1.5,
)
claim(
    "02.sum-is-right",
    "Weights that differ by 0.05 only: now the means have at least twice the error of the sum.",
    extra[0.05]["means, λ = 1"][-1] / extra[0.05]["sum, λ = 1"][-1],
    at_least=2,
)

# %% [markdown]
# In the sum the effective weight of the target falls to a thousandth, so its labels are outvoted:
# the curve joins the one of the source alone. Whether that hurts depends on the domains. With
# different weights it does. When both domains share the same weights, one vote per example, the
# plain sum, is right: the source then has the better estimate.
#
# With means, the target's weight no longer depends on how much *source* data you happen to have.
# But λ must still grow with the target labels, as section 3 has shown. No form frees you from
# choosing: say which form you use, and which λ.
#
# **Exercise.** A sum has $n_s = 20000$ source and $n_t = 20$ target examples. Which λ gives both
# domains the same weight?

# %% exercise="02.equal_weight"
lam_equal = (
    ### BEGIN SOLUTION
    20000 / 20
    ### END SOLUTION
)
ex.equal_weight.check(lam_equal)

# %%
ex.q_sum.ask(...)

# %% [markdown]
# ### Why the curve over λ is a U: bias and variance
#
# Draw the data many times and fit each time. The fits scatter around their mean $\bar w$. The
# expected extra error splits into two parts:
#
# $$\mathbb E \lVert w - w_t \rVert^2
#  = \underbrace{\lVert \bar w - w_t \rVert^2}_{\text{bias}^2 \text{ (偏差)}}
#  + \underbrace{\mathbb E \lVert w - \bar w \rVert^2}_{\text{variance (方差)}}.$$
#
# To prove it, write $w - w_t = (w - \bar w) + (\bar w - w_t)$ and square. The mixed term has the
# expectation zero, because $\mathbb E (w - \bar w) = 0$. Here are both, for 15 target labels.

# %%
rng = np.random.default_rng([course.seed, 6])
w_s, w_t = task_pair(rng)
fits = []  # 200 draws of the data, 19 values of lambda, 10 weights
for _ in range(200):
    data = *sample(500, w_s, np.eye(10), rng), *sample(15, w_t, np.eye(10), rng)
    fits.append([total_minimiser(*data, lam) for lam in grid])
fits = np.array(fits)
mean_fit = fits.mean(axis=0)
bias = np.sum((mean_fit - w_t) ** 2, axis=1)
variance = np.mean(np.sum((fits - mean_fit) ** 2, axis=2), axis=0)
error = np.mean(np.sum((fits - w_t) ** 2, axis=2), axis=0)
print("squared bias + variance = error:", np.allclose(bias + variance, error))

# %%
fig, ax = plots.figure(
    f"Squared bias, variance and their sum over λ from 0.001 to 1000, 15 target labels. The "
    f"squared bias falls from {bias[0]:.2f} to {bias[-1]:.2f}, the variance rises from "
    f"{variance[0]:.2f} to {variance[-1]:.2f}. Their sum is lowest, {error.min():.2f}, at "
    f"λ = {grid[error.argmin()]:.2g}.",
)
for name, values in {"squared bias": bias, "variance": variance, "sum: extra error": error}.items():
    ax.plot(grid, values, label=name, marker="")
ax.set(xscale="log", xlabel="λ (no unit)", ylabel="Extra error (no unit)")
ax.set(title="Bias falls, variance rises", ylim=(0, None))
ax.legend()
fig

# %% [markdown]
# A small λ leans on 500 source examples: steady from draw to draw, but off the mark. A large λ
# leans on 15 target labels: right on average, and scattered. Transfer trades a little bias for
# much less variance. That is a good trade when labels are few and the domains are near.

# %% [markdown]
# ### The link to importance weighting
#
# Give every example a weight of its own, $\sum_i \beta_i L(y_i, f(x_i))$. Then $R(f)$ is the case
# of one constant per domain: 1 for the source, λ for the target. **Importance weighting**
# (重要性加权) weights each source example by $\beta(x) = p_t(x) / p_s(x)$, because then
#
# $$\mathbb E_s \big[ \beta(x) L \big] = \int p_s(x) \frac{p_t(x)}{p_s(x)} L \, dx = \mathbb E_t [L] :$$
#
# the source average becomes the target average, without one target label. It needs the two
# domains to differ in $p(x)$ only, and $p_s(x) > 0$ wherever the target has inputs. The gain shows
# when the model is too simple for the whole, like a line for a parabola.

# %%
from scipy.stats import norm

rng = np.random.default_rng([course.seed, 7])
x_source, x_target = rng.normal(0, 1, 400), rng.normal(1.2, 0.4, 400)
y_source = x_source**2 + 0.3 * rng.normal(size=400)
y_true = x_target**2 + 0.3 * rng.normal(size=400)  # used only to measure
beta = norm.pdf(x_source, 1.2, 0.4) / norm.pdf(x_source, 0, 1)

plain = np.polyfit(x_source, y_source, 1)
weighted = np.polyfit(x_source, y_source, 1, w=np.sqrt(beta))  # polyfit squares its weights
target_errors = [mse(y_true, np.polyval(line, x_target)) for line in (plain, weighted)]
claim(
    "02.importance",
    "Importance weights reduce the line's target error to at most half.",
    target_errors[1] / target_errors[0],
    at_most=0.5,
)

# %%
fig, ax = plots.figure(
    "A parabola. Source inputs are around 0, target inputs around 1.2. The line fitted to the "
    f"source has the target error {target_errors[0]:.2f}; the line with importance weights "
    f"follows the parabola where the target is, with the error {target_errors[1]:.2f}.",
)
ax.scatter(
    x_source,
    y_source,
    s=4 + 12 * beta,
    color=plots.COLORS[0],
    alpha=0.5,
    label="source, size by weight",
)
ax.plot(x_target[:80], y_true[:80], "^", color=plots.COLORS[1], ms=4, alpha=0.6, label="target")
ends = np.array([-2.5, 2.5])
ax.plot(ends, np.polyval(plain, ends), "-", marker="", color="black", label="plain fit")
ax.plot(
    ends, np.polyval(weighted, ends), "--", marker="", color=plots.COLORS[2], label="weighted fit"
)
ax.set(xlabel="Input (no unit)", ylabel="Output (no unit)", ylim=(-3, 8))
ax.set(title="Weights move the fit to where the target is")
ax.legend()
fig

# %% [markdown]
# The weighted line is wrong on most of the source, and right where it counts. Here both densities
# were known; in practice a classifier of domains estimates their ratio, as
# [lesson 08](08_four_ways.ipynb) does.

# %% [markdown]
# ## 5. Gradient descent, and what a warm start saves
#
# Without a closed form one walks: $w \leftarrow w - \eta\, \nabla L(w)$, with the **learning rate**
# (学习率) $\eta$. Take a quadratic loss $L(w) = \frac12 (w - w^*)^\top H (w - w^*)$ with the gradient
# $H (w - w^*)$. One step multiplies the distance to the minimum by $I - \eta H$. Along an eigenvector
# of $H$ with the eigenvalue $h$ the factor is $1 - \eta h$:
#
# - $0 < \eta h < 1$: the distance shrinks from one side;
# - $\eta h = 1$: one step leads to the minimum;
# - $1 < \eta h < 2$: it changes its sign with each step and shrinks: the walk oscillates;
# - $\eta h = 2$: it only changes its sign: the walk never settles;
# - $\eta h > 2$: it grows: the walk diverges.
#
# The largest eigenvalue sets the limit, $\eta < 2 / h_\text{max}$. The smallest sets the pace.
# Here $h$ is 1 and 10, so the limit is $0.2$.


# %% tags=["keep"]
def rotation(degrees):
    """Return the matrix (2, 2) that turns row vectors by this angle."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, s], [-s, c]])


def descend(gradient, start, rate, steps):
    """Return the points that gradient descent visits, shape (steps + 1, d)."""
    path = [np.asarray(start, dtype=float)]
    for _ in range(steps):
        path.append(path[-1] - rate * gradient(path[-1]))
    return np.array(path)


# %%
turn = rotation(30)
H = turn.T @ np.diag([1.0, 10.0]) @ turn
optimum, start = np.array([1.0, 0.5]), np.array([-2.0, 1.5])
rates = (0.01, 0.03, 0.1, 0.15, 0.18, 0.195, 0.2, 0.205)
walks = {rate: descend(lambda w: H @ (w - optimum), start, rate, 30) for rate in rates}

along = np.stack(np.meshgrid(np.linspace(-3.2, 3.2, 50), np.linspace(-2.2, 3, 50)), axis=-1)
surface = 0.5 * np.einsum("...i,ij,...j", along - optimum, H, along - optimum)


# %%
def draw_walk(rate):
    walk = walks[rate]
    losses = 0.5 * np.einsum("ni,ij,nj->n", walk - optimum, H, walk - optimum)
    kind = "diverges" if rate > 0.2 else "never settles" if rate == 0.2 else "converges"
    kind += ", oscillating" if 0.1 < rate < 0.2 else ""
    fig, (left, right) = plots.figure(
        f"Learning rate {rate}: the loss goes from {losses[0]:.1f} to {losses[-1]:.2g} in 30 steps. "
        f"The walk {kind}.",
        ncols=2,
        figsize=(9, 3.6),
        layout="none",
    )
    left.contour(
        along[..., 0], along[..., 1], surface, levels=[0.1, 0.5, 2, 6, 15, 30], colors="#999999"
    )
    left.plot(*walk.T, "-o", ms=3, color=plots.COLORS[0])
    left.plot(*optimum, "*", ms=14, color=plots.COLORS[1])
    left.set(xlim=(-3.2, 3.2), ylim=(-2.2, 3), xlabel="$w_1$ (no unit)", ylabel="$w_2$ (no unit)")
    left.set_title(f"Rate {rate}: {kind}")
    right.plot(losses, marker="")
    right.set(yscale="log", ylim=(1e-4, 1e3), xlabel="Step (count)", title="Loss")
    right.set_ylabel("Loss (no unit)")
    right.minorticks_off()
    fig.subplots_adjust(left=0.08, right=0.99, bottom=0.15, top=0.91, wspace=0.2)
    return fig


slider = widgets.SelectionSlider(options=[(str(rate), rate) for rate in rates], value=0.15)
plots.interactive(draw_walk, rate=slider, descriptions={"rate": "Learning rate"})

# %% [markdown]
# Up to 0.1 the walk slides down; then it jumps from side to side of the valley. At 0.2 it jumps for
# ever between the same heights, and above it climbs out. Which rate is the fastest? The slower
# direction decides: the one with the larger $|1 - \eta h|$.

# %%
for rate in rates:
    flat, steep = abs(1 - rate), abs(1 - 10 * rate)
    print(f"rate {rate:5}: factors {flat:.3f} and {steep:.3f}, the larger {max(flat, steep):.3f}")
print(f"2 / (1 + 10) = {2 / 11:.4f}: both factors {abs(1 - 2 / 11):.3f} and {abs(1 - 20 / 11):.3f}")

# %% [markdown]
# The fastest rate is $2 / (h_\text{min} + h_\text{max})$: there both directions shrink by the same
# factor. It is one of the rates that jump, close below the limit. If your training loss grows or is
# NaN, first make the learning rate smaller.

# %%
ex.q_rate.ask(...)

# %% [markdown]
# **Warm start.** The step count depends on where you begin. Along one eigenvector, to come from the
# distance $D$ to $\varepsilon$ takes $\log(D / \varepsilon) / \log(1 / |1 - \eta h|)$ steps. Starting
# from the source's weights makes $D$ smaller, so it saves steps; but only the *logarithm* of $D$
# counts. Measured: steps until the target loss is within 1 % of its minimum, from zeros and from the
# source's weights. The target's weights keep their size of about 1; the source's differ from them by
# ever more. Median of 30 draws.


# %% tags=["keep"]
def steps_needed(X, y, start, tolerance=0.01, at_most=5000):
    """Count the steps until the loss is within the tolerance of its minimum."""
    A, b = X.T @ X / len(y), X.T @ y / len(y)
    goal = (1 + tolerance) * mse(y, X @ np.linalg.solve(A, b))
    rate, w = 1 / (2 * np.linalg.eigvalsh(A)[-1]), start
    for step in range(at_most):
        if mse(y, X @ w) <= goal:
            return step
        w = w - rate * 2 * (A @ w - b)
    return at_most


# %%
rng = np.random.default_rng([course.seed, 12])
uneven, shifts, counts = np.diag(np.geomspace(1, 0.05, 10)), (0.1, 0.3, 1.0, 3.0), {}
for shift in shifts:
    pairs = []
    for _ in range(30):
        w_t, w_s = task_pair(rng, shift=shift)  # the target first: its size does not change
        X, y = sample(500, w_s, uneven, rng)
        warm = np.linalg.lstsq(X, y, rcond=None)[0]
        target_data = sample(100, w_t, uneven, rng)
        pairs.append([steps_needed(*target_data, s) for s in (np.zeros(10), warm)])
    counts[shift] = np.median(pairs, axis=0)

# %%
cold, warm = np.array(list(counts.values())).T
fig, ax = plots.figure(
    "Median steps to the target's optimum, from zeros and from the source's weights, for four "
    "differences between the domains: "
    + "; ".join(f"{s}: {c:.0f} and {w:.0f}" for s, c, w in zip(shifts, cold, warm))
    + ".",
    figsize=(6.4, 3.6),
)
ax.plot(shifts, cold, label="from zeros")
ax.plot(shifts, warm, label="warm start, from the source")
ax.set(xscale="log", xlabel="Difference of source and target weights (standard deviation)")
ax.set_xticks(shifts, [str(shift) for shift in shifts])
ax.set_xticks([], minor=True)
ax.set(ylabel="Steps (count)", ylim=(0, None), title="Steps until within 1 % of the minimum")
ax.legend()
fig

# %%
claim(
    "02.warm-start",
    "When the domains are near (difference 0.1), a warm start saves at least 35 % of the steps.",
    1 - warm[0] / cold[0],
    at_least=0.35,
)
claim(
    "02.warm-start-harm",
    "When they are far (difference 3), it takes at least 25 % more steps than a start from zeros.",
    warm[-1] / cold[-1] - 1,
    at_least=0.25,
)

# %% [markdown]
# The optimum is near $w_t$, whose 10 entries have the size 1. So zeros are at the distance
# $\sqrt{10}$ and the source's weights at $\sqrt{10}$ times the difference. Near domains: a real
# saving. At the difference 1 both starts are equally far. Beyond it the source is farther, and the
# warm start costs steps. This is **negative transfer** (负迁移): the source does harm.
#
# **One minimum, or a valley.** Note what was measured: *steps*. With 100 labels for 10 weights the
# loss has a single minimum, so both walks end there. With fewer labels than weights a convex loss
# has a whole flat valley of minima, and gradient descent ends at the one nearest its start; then a
# warm start changes the error too. The gradient $\frac2N X^\top (Xw - y)$ lies in the span of the
# rows of $X$, so the walk never leaves $w_0$ in any other direction. Its end is
# $w_0 + X^+ (y - X w_0)$ with the pseudo-inverse $X^+$.


# %% tags=["keep"]
def end_of_walk(X, y, start):
    """Return the minimum of the squared error that is nearest the start, shape (d,)."""
    return start + np.linalg.pinv(X) @ (y - X @ start)


# %%
rng = np.random.default_rng([course.seed, 14])
valley = []  # the extra error from zeros and from the source's weights
for _ in range(60):
    w_s, w_t = task_pair(rng)
    X, y = sample(5, w_t, np.eye(10), rng)
    ends = [end_of_walk(X, y, start) for start in (np.zeros(10), w_s)]
    valley.append([np.sum((end - w_t) ** 2) for end in ends])
print("extra error from zeros {:.2f}, from the source {:.2f}".format(*np.mean(valley, axis=0)))

curvature = 2 / 5 * X.T @ X
rate = 1 / np.linalg.eigvalsh(curvature)[-1]
walk = descend(lambda w: curvature @ w - 2 / 5 * X.T @ y, w_s, rate, 20000)
print("gradient descent ends there:", np.allclose(walk[-1], end_of_walk(X, y, w_s), atol=1e-4))

# %%
claim(
    "02.warm-start-valley",
    "With 5 labels for 10 weights the warm start ends with at most half the extra error.",
    np.mean(valley, axis=0)[1] / np.mean(valley, axis=0)[0],
    at_most=0.5,
)

# %% [markdown]
# So a warm start changes the result when there are fewer labels than weights, when you stop early,
# or when the loss has many minima, as that of a network has.

# %%
ex.q_warm.ask(...)

# %% [markdown]
# ## Your progress

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A gradient derived by hand is checked in two ways: by finite differences and by automatic
#   differentiation. A library's own function checks the loss.
# - Softmax belongs in the network or in the loss, once. Twice raises no error and weakens the
#   gradient.
# - λ trades bias for variance. With few target labels the best λ lies between source alone and
#   target alone; it grows with the number of labels.
# - A sum of losses hides the sizes: with respect to the means, the target has the effective weight
#   $\lambda n_t / n_s$. Say which form and which λ you use.
# - A warm start saves steps, not error, on a loss with a single minimum. With fewer labels than
#   weights it changes the error too.
#
# **Next:** [lesson 03](03_digits.ipynb) does all of this with a network and handwritten digits.
# [Lesson 09](09_aligning_domains.ipynb) goes on with the mathematics: domains that are aligned, and
# parameters that are pulled.
#
# ## Sources
#
# - Log-sum-exp: P. Blanchard, D. J. Higham and N. J. Higham (2021), *Accurately computing the
#   log-sum-exp and softmax functions*, [doi:10.1093/imanum/draa038](https://doi.org/10.1093/imanum/draa038).
# - Weighted source and target error: S. Ben-David et al. (2010), *A theory of learning from different
#   domains*, [doi:10.1007/s10994-009-5152-4](https://doi.org/10.1007/s10994-009-5152-4).
# - Importance weighting: H. Shimodaira (2000), *Improving predictive inference under covariate
#   shift*, [doi:10.1016/S0378-3758(00)00115-4](https://doi.org/10.1016/S0378-3758%2800%2900115-4).
# - The digits: E. Alpaydin and C. Kaynak (1998), *Optical Recognition of Handwritten Digits*,
#   [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49), CC BY 4.0; the copy that scikit-learn
#   installs.
