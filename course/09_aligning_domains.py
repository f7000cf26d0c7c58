# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 02" engine="none"
# # 09. Aligning domains: the mathematics
#
# [Lesson 08](08_four_ways.ipynb) aligned two domains and pulled parameters in a few lines. This
# lesson goes behind them: what a mapping of domains can and cannot know, what it costs to leave the
# source's parameters, and what is left of the gain on real tables, beside honest controls.
#
# ## What you will be able to do
#
# 1. say why the "mapping objective" collapses, and align two clouds with pairs, with MMD and
#    with CORAL;
# 2. pull parameters towards those of a source model, and tell that from shrinking them;
# 3. run a fair comparison of transfer methods on real tables, with its spread.
#
# Terms are explained where they first appear; the [glossary](glossary.md) has them all in
# English and Chinese.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("09")
ex = course.exercises

# %% tags=["keep"]
import numpy as np

from transfer_lib import plots
from transfer_lib.claims import claim
from transfer_lib.taught.lesson_02 import finite_differences


# %% tags=["keep"]
def mse(y, predicted):
    """Return the mean squared error; both arguments have the shape (N,)."""
    return np.mean((y - predicted) ** 2)


def rotation(degrees):
    """Return the matrix (2, 2) that turns row vectors by this angle."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, s], [-s, c]])


def sample(n, w, covariance, rng, noise=1.0):
    """Draw n examples with these weights: inputs (n, d), outputs (n,)."""
    X = rng.multivariate_normal(np.zeros(len(w)), covariance, size=n)
    return X, X @ w + noise * rng.normal(size=n)


def total_minimiser(X_s, y, X_t, z, lam):
    """Return the weights (d,) that minimise L_shared + lam * L_task."""
    A = X_s.T @ X_s / len(y) + lam * X_t.T @ X_t / len(z)
    b = X_s.T @ y / len(y) + lam * X_t.T @ z / len(z)
    return np.linalg.solve(A, b)


# %% [markdown]
# ## 1. The mapping objective, and why it collapses
#
# Some texts define transfer by two mappings: $f$ takes source inputs to the target's space, $g$
# takes source outputs there, and both minimise
#
# $$J(f, g) = \mathbb E\, \lVert f(x_s) - x_t \rVert^2 + \mathbb E\, \lVert g(y_s) - y_t \rVert^2 .$$
#
# Which $x_t$ belongs to which $x_s$? The formula does not say. If source and target are drawn
# independently, nothing links them. Then the objective has one answer, and it is useless:
#
# 1. Let $\mu = \mathbb E[x_t]$. Split $f(x_s) - x_t = (f(x_s) - \mu) + (\mu - x_t)$ and square; since
#    $x_s$ and $x_t$ are independent, the mixed term is
#    $2\, \mathbb E[f(x_s) - \mu]^\top \, \mathbb E[\mu - x_t] = 0$.
# 2. So $\mathbb E \lVert f(x_s) - x_t \rVert^2 = \mathbb E \lVert f(x_s) - \mu \rVert^2 + \mathbb E \lVert x_t - \mu \rVert^2$,
#    and the last term does not depend on $f$.
# 3. The first term is zero exactly when $f(x_s) = \mu$ always. The minimiser is the constant
#    $f = \mathbb E[x_t]$.
#
# The same lines with $g$ give $g = \mathbb E[y_t]$. All inputs land on one point, all outputs on
# another. Here is the collapse: an affine map $f(x) = xW + b$, fitted by least squares to random
# pairs. The target is the source turned and moved.


# %% tags=["keep"]
def cloud(n, rng):
    """Draw two classes side by side: points (n, 2), labels (n,)."""
    classes = np.arange(n) % 2
    points = rng.normal(size=(n, 2)) * [0.5, 0.8]
    points[:, 0] += 3 * classes - 1.5
    return points, classes


def fit_affine(source, target):
    """Map the source by the affine map that least squares finds for these pairs."""
    X = np.c_[source, np.ones(len(source))]
    return X @ np.linalg.lstsq(X, target, rcond=None)[0]


# %%
rng = np.random.default_rng([course.seed, 8])
source, classes = cloud(2000, rng)
target = source @ rotation(40) + [2.0, 1.0] + 0.1 * rng.normal(size=(2000, 2))  # true pairs
mapped = {"true pairs": fit_affine(source, target)}
mapped["random pairs"] = fit_affine(source, rng.permutation(target))

# %%
whole = target.std(axis=0).mean()
spread = {name: points.std(axis=0).mean() / whole for name, points in mapped.items()}
fig, axes = plots.figure(
    "Two panels: the target cloud and the mapped source. Fitted to true pairs, the mapped source "
    f"covers the target: spread {spread['true pairs']:.2f} of the target's. Fitted to random pairs "
    f"it shrinks to a point at the target's mean: spread {spread['random pairs']:.2f}.",
    ncols=2,
    figsize=(8, 3.6),
    sharex=True,
    sharey=True,
)
for ax, (name, points) in zip(axes, mapped.items()):
    ax.plot(*target[:300].T, ".", color="#999999", label="target")
    ax.plot(*points[:300].T, "^", color=plots.COLORS[1], ms=3, label="mapped source")
    ax.set(title=f"Fitted to {name}", xlabel="First feature (no unit)", aspect="equal")
axes[0].set_ylabel("Second feature (no unit)")
axes[0].legend()
fig

# %%
claim(
    "09.collapse",
    "Fitted to random pairs, the mapped source keeps at most a tenth of the target's spread.",
    spread["random pairs"] / spread["true pairs"],
    at_most=0.1,
)

# %%
ex.q_collapse.ask(...)

# %% [markdown]
# Two things make mappings work: **pairs**, where you know which belongs to which, or
# **distributions**, where you ask only that the mapped cloud *as a whole* looks like the target.
#
# ### With pairs: orthogonal Procrustes
#
# Let the rows of $S$ and $T$, both $(n, d)$, be pairs with their means taken out. Seek a rotation or
# reflection, $Q^\top Q = I$, that minimises $\lVert SQ - T \rVert_F^2$. Here
# $\lVert M \rVert_F^2 = \sum_{ij} M_{ij}^2$ is the squared **Frobenius norm**, and
# $\operatorname{tr}(M) = \sum_i M_{ii}$ the **trace**. Expand it: the norms of $SQ$ and $T$ are fixed,
# so we maximise $\operatorname{tr}(Q^\top S^\top T)$. With the singular value decomposition
# $S^\top T = U \Sigma V^\top$ this is $\operatorname{tr}(V^\top Q^\top U\, \Sigma)$. The matrix
# before $\Sigma$ is orthogonal, its diagonal is at most 1, and it is 1 for $Q = U V^\top$.


# %% tags=["keep"]
def procrustes(S, T):
    """Return the orthogonal Q (d, d) that minimises the distance of S @ Q to T."""
    U, _, Vt = np.linalg.svd(S.T @ T)
    return U @ Vt


# %%
from scipy.linalg import orthogonal_procrustes

S, T = source[:5] - source[:5].mean(axis=0), target[:5] - target[:5].mean(axis=0)
Q = procrustes(S, T)
print("SciPy agrees:", np.allclose(Q, orthogonal_procrustes(S, T)[0]))
print(f"turned by 40 degrees; found from 5 pairs: {np.rad2deg(np.arctan2(Q[0, 1], Q[0, 0])):.0f}")

# %% [markdown]
# ### With distributions: maximum mean discrepancy
#
# Without pairs, compare the clouds. The **maximum mean discrepancy** (MMD, 最大均值差异) uses a
# kernel, a similarity of two points. With the Gaussian kernel
# $k(a, b) = e^{-\lVert a - b \rVert^2 / 2\sigma^2}$,
#
# $$\mathrm{MMD}^2 = \mathbb E\, k(s, s') + \mathbb E\, k(t, t') - 2\, \mathbb E\, k(s, t):$$
#
# how alike are points within each cloud, less how alike they are across. It is zero exactly when
# both distributions are the same. From $n$ source points and $m$ target points the plain
# estimator takes the means of the kernel matrices $K_{ss}\ (n, n)$, $K_{tt}\ (m, m)$ and
# $K_{st}\ (n, m)$.


# %% tags=["keep"]
def gaussian_kernel(a, b, width):
    """Return the kernel of all pairs, (n, d) and (m, d) to (n, m)."""
    squared = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    return np.exp(-squared / (2 * width**2))


def mmd2(source, target, width):
    """Return the plain (biased) estimate of the squared MMD."""
    within = [gaussian_kernel(p, p, width).mean() for p in (source, target)]
    return sum(within) - 2 * gaussian_kernel(source, target, width).mean()


def median_distance(*clouds):
    """Return the median distance of all pairs of points, the usual width of the kernel."""
    from scipy.spatial.distance import pdist

    return np.median(pdist(np.vstack(clouds)))


# %% [markdown]
# The plain estimator is **biased**: the diagonal of $K_{ss}$ compares each point with itself, and
# $k(s, s) = 1$ is as alike as can be. Two samples of the *same* distribution get an MMD above
# zero. The unbiased estimator leaves the diagonals out:
#
# $$\widehat{\mathrm{MMD}}{}^2_u = \frac{1}{n(n-1)} \sum_{i \ne j} k(s_i, s_j)
#  + \frac{1}{m(m-1)} \sum_{i \ne j} k(t_i, t_j) - \frac{2}{nm} \sum_{i, j} k(s_i, t_j).$$
#
# $K_{st}$ stays whole: its diagonal compares two different points like any other entry.
#
# **Exercise.** Write it, from the three kernel matrices.


# %% tags=["keep"] exercise="09.mmd_unbiased"
def mmd_unbiased(K_ss, K_tt, K_st):
    """Return the unbiased squared MMD from kernels of shapes (n, n), (m, m) and (n, m)."""
    ### BEGIN SOLUTION
    n, m = K_st.shape
    within_source = (K_ss.sum() - np.trace(K_ss)) / (n * (n - 1))
    within_target = (K_tt.sum() - np.trace(K_tt)) / (m * (m - 1))
    return within_source + within_target - 2 * K_st.mean()
    ### END SOLUTION


ex.mmd_unbiased.check(mmd_unbiased)

# %% [markdown]
# How large is the bias? With equal diagonals of 1, it can be computed from the plain within-means:
# each shrinks from $\bar k$ to $(n \bar k - 1) / (n - 1)$. Two samples of one distribution, 400
# times each; after ± stands the **standard error** of the mean, the standard deviation of the 400
# values divided by $\sqrt{400}$:

# %%
rng = np.random.default_rng([course.seed, 9])
plain_means, unbiased_means, standard_errors = [], [], []
for n in (5, 10, 20, 50):
    plain, corrected = [], []
    for _ in range(400):
        a, b = rng.normal(size=(2, n, 2))
        k_a, k_b = (gaussian_kernel(p, p, 1.0).mean() for p in (a, b))
        plain.append(mmd2(a, b, 1.0))
        corrected.append(plain[-1] - (1 - k_a) / (n - 1) - (1 - k_b) / (n - 1))
    plain_means.append(np.mean(plain))
    unbiased_means.append(np.mean(corrected))
    standard_errors.append(np.std(corrected) / np.sqrt(len(corrected)))
    shown = f"unbiased {unbiased_means[-1]:+.3f} ± {standard_errors[-1]:.3f}"
    print(f"n = {n:2}: plain {plain_means[-1]:.3f}, {shown}")

# %%
claim(
    "09.mmd-bias",
    "For two samples of 10 from one distribution, the mean of the unbiased estimate is at most a "
    "quarter of that of the plain one, sign aside.",
    abs(unbiased_means[1]) / plain_means[1],
    at_most=0.25,
)
claim(
    "09.mmd-unbiased",
    "For every size the mean of the unbiased estimate is at most 3.5 standard errors from zero.",
    np.max(np.abs(unbiased_means) / standard_errors),
    at_most=3.5,
)

# %% [markdown]
# The plain estimate sees a difference where there is none, the more so the fewer the points. The
# unbiased one is right on average; single values may fall below zero.
#
# ### Minimise it, and the clouds meet
#
# With $\partial k(a, b) / \partial a = -\frac{1}{\sigma^2} (a - b)\, k(a, b)$ and mapped points
# $z_i = x_i A + c$, the gradient of the plain MMD² by each point is
#
# $$\frac{\partial\, \mathrm{MMD}^2}{\partial z_i} = -\frac{2}{n^2 \sigma^2} \sum_j (z_i - z_j)\, k(z_i, z_j)
#  + \frac{2}{nm\, \sigma^2} \sum_j (z_i - t_j)\, k(z_i, t_j):$$
#
# points repel their own kind and are drawn to the target. The chain rule carries it to $A$, as
# $X^\top G$ with the rows of $G$ the gradients above, and to $c$, as the sum of the rows.


# %% tags=["keep"]
def mmd2_gradient(z, target, width):
    """Return the gradient of the plain squared MMD by the points z, shape (n, d)."""
    n, m = len(z), len(target)
    K_zz, K_zt = gaussian_kernel(z, z, width), gaussian_kernel(z, target, width)
    apart = K_zz.sum(axis=1, keepdims=True) * z - K_zz @ z
    towards = K_zt.sum(axis=1, keepdims=True) * z - K_zt @ target
    return 2 / width**2 * (towards / (n * m) - apart / n**2)


def align(source, target, steps=100, rate=2.0):
    """Minimise the MMD by an affine map; return the mapped source after each step."""
    A, c = np.eye(2), np.zeros(2)
    width, path = median_distance(source, target), []
    for _ in range(steps + 1):
        z = source @ A + c
        path.append(z)
        G = mmd2_gradient(z, target, width)
        A, c = A - rate * source.T @ G, c - rate * G.sum(axis=0)
    return path


# %%
few_s, few_t = source[:6], target[6:12]
by_differences = finite_differences(lambda z: mmd2(z, few_t, 2.0), few_s)
print("finite differences agree:", np.allclose(mmd2_gradient(few_s, few_t, 2.0), by_differences))

# %% [markdown]
# Two cases. The target is the source turned by 40 degrees and moved, or turned by 140 degrees and
# moved. No pairs, no target labels. Move the step with the slider and watch; then turn to 140. The
# title gives the accuracy of a classifier that is trained on the mapped source, on the target.

# %%
from sklearn.linear_model import LogisticRegression

shown_steps, cases = (0, 1, 2, 3, 5, 10, 20, 50, 100), {}
for angle in (40, 140):
    rng = np.random.default_rng([course.seed, 10])
    points, kinds = cloud(100, rng)
    other, other_kinds = cloud(100, rng)  # drawn afresh: no pairs
    moved = other @ rotation(angle) + [2.0, 1.0]
    width, path = median_distance(points, moved), align(points, moved)
    rows = []
    for step in shown_steps:
        accuracy = LogisticRegression().fit(path[step], kinds).score(moved, other_kinds)
        rows.append((path[step], mmd2(path[step], moved, width), accuracy))
    cases[angle] = dict(points=points, kinds=kinds, moved=moved, truth=other_kinds, rows=rows)


# %%
def draw_clouds(angle, step):
    case = cases[angle]
    z, discrepancy, accuracy = case["rows"][step]
    fig, ax = plots.figure(
        f"Target turned by {angle} degrees, step {shown_steps[step]}: MMD² {discrepancy:.4f}, "
        f"accuracy on the target {100 * accuracy:.0f} %.",
        figsize=(6.4, 4.4),
    )
    for kind, marker in enumerate("o^"):
        colour = plots.COLORS[kind]
        here = case["moved"][case["truth"] == kind]
        ax.scatter(
            *here.T,
            marker=marker,
            facecolors="none",
            edgecolors=colour,
            label=f"target, class {kind}",
        )
        ax.scatter(
            *z[case["kinds"] == kind].T,
            marker=marker,
            color=colour,
            s=18,
            label=f"source, class {kind}",
        )
    ax.set(xlim=(-4.5, 5.5), ylim=(-3.5, 4.5), xlabel="First feature (no unit)")
    ax.set_ylabel("Second feature (no unit)")
    ax.set_title(f"MMD² {discrepancy:.4f}, accuracy on the target {100 * accuracy:.0f} %")
    ax.legend(fontsize=9, ncols=2, loc="lower right")
    return fig


steps = {str(shown): index for index, shown in enumerate(shown_steps)}
words = {"angle": "Target turned by (degrees)", "step": "Gradient steps"}
plots.interactive(draw_clouds, angle=[40, 140], step=steps, descriptions=words)

# %% [markdown]
# Open circles are the target, filled marks the mapped source. In both cases the clouds end up on
# each other:

# %%
for angle, case in cases.items():
    (_, first, _), (_, last, accuracy) = case["rows"][0], case["rows"][-1]
    print(f"{angle:3} degrees: MMD² {first:.2f} -> {last:.4f}, accuracy {100 * accuracy:.0f} %")

draw_clouds(140, len(shown_steps) - 1)

# %%
claim(
    "09.mmd-meets",
    "In both cases the MMD² falls to at most a fiftieth of its start.",
    max(case["rows"][-1][1] / case["rows"][0][1] for case in cases.values()),
    at_most=0.02,
)
claim(
    "09.aligned-right",
    "At 40 degrees the aligned classifier is right for at least 90 % of the target.",
    cases[40]["rows"][-1][2],
    at_least=0.9,
)
claim(
    "09.aligned-wrong",
    "At 140 degrees, as well aligned, it is right for at most 10 %.",
    cases[140]["rows"][-1][2],
    at_most=0.1,
)

# %% [markdown]
# **Perfectly aligned and perfectly wrong.** At 140 degrees the shortest way to lay one cloud on the
# other turns it by 40 degrees the other way. Then class 0 lies on class 1. The MMD compares
# $p(x)$ and knows nothing of labels: matched marginals (边缘分布) say nothing about $p(y \mid x)$.
# No measure without target labels can see the mistake here, where the cloud looks the same after
# half a turn. A few labelled target examples can: the table at the end of this section has five.

# %%
ex.q_marginals.ask(...)

# %% [markdown]
# ### Correlation alignment
#
# **CORAL** compares less: only the covariances (协方差). For a sample $X$ with $n$ rows,
#
# $$C = \frac{1}{n-1} (X - \bar X)^\top (X - \bar X), \quad \text{shape } (d, d).$$
#
# Its closed form *whitens* the source and *colours* it like the target: take the mean out, multiply
# by $C_s^{-1/2} C_t^{1/2}$, put the target's mean in. Check: the new covariance is
# $C_t^{1/2} C_s^{-1/2} C_s C_s^{-1/2} C_t^{1/2} = C_t$.


# %% tags=["keep"]
def matrix_power(C, exponent):
    """Return a symmetric positive matrix to a real power."""
    values, vectors = np.linalg.eigh(C)
    return (vectors * values**exponent) @ vectors.T


def coral_align(source, target):
    """Give the source the target's mean and covariance, shape (n, d)."""
    C_s, C_t = np.cov(source.T), np.cov(target.T)
    A = matrix_power(C_s, -0.5) @ matrix_power(C_t, 0.5)
    return (source - source.mean(axis=0)) @ A + target.mean(axis=0)


# %% [markdown]
# For networks there is a loss instead, the **CORAL loss**, small when the covariances agree:
#
# $$L_\text{CORAL} = \frac{1}{4 d^2} \lVert C_s - C_t \rVert_F^2 .$$
#
# **Exercise.** Write it. The covariances are those above: centred, divided by $n - 1$.


# %% tags=["keep"] exercise="09.coral_loss"
def coral_loss(source, target):
    """Return the CORAL loss of two samples of shapes (n, d) and (m, d)."""
    ### BEGIN SOLUTION
    difference = np.cov(source.T) - np.cov(target.T)
    return np.sum(difference**2) / (4 * source.shape[1] ** 2)
    ### END SOLUTION


ex.coral_loss.check(coral_loss)

# %% [markdown]
# All methods on both cases. Procrustes gets five pairs: five source points, and where they lie in
# the target. The last row trains on these five partners alone, with the labels of their source
# points.

# %%
table = {}
for angle, case in cases.items():
    points, kinds, moved = case["points"], case["kinds"], case["moved"]
    partners = points[:5] @ rotation(angle) + [2.0, 1.0]
    Q = procrustes(points[:5] - points[:5].mean(axis=0), partners - partners.mean(axis=0))
    ways = {
        "unmoved": points,
        "MMD": case["rows"][-1][0],
        "CORAL": coral_align(points, moved),
        "5 pairs": (points - points[:5].mean(axis=0)) @ Q + partners.mean(axis=0),
    }
    for name, z in ways.items():
        table[name, angle] = LogisticRegression().fit(z, kinds).score(moved, case["truth"])
    few = LogisticRegression().fit(partners, kinds[:5])
    table["5 labels", angle] = few.score(moved, case["truth"])
for name in [*ways, "5 labels"]:
    print(f"{name:8} 40 degrees: {table[name, 40]:.2f}   140 degrees: {table[name, 140]:.2f}")

# %%
claim(
    "09.pairs",
    "Five pairs are right for at least 90 % of the target, at 40 and at 140 degrees.",
    min(table["5 pairs", 40], table["5 pairs", 140]),
    at_least=0.9,
)
claim(
    "09.coral-wrong",
    "CORAL is swapped as well: at 140 degrees it is right for at most 30 % of the target.",
    table["CORAL", 140],
    at_most=0.3,
)
claim(
    "09.five-labels",
    "Five labelled target points alone are right for at least 90 % of the target, at both angles.",
    min(table["5 labels", 40], table["5 labels", 140]),
    at_least=0.9,
)

# %% [markdown]
# At 140 degrees MMD and CORAL fail together. Five pairs carry what no cloud can tell: which point
# is which. But five partners of labelled source points *are* five labelled target points: in this
# easy case they suffice alone. What pairs add is the map, without any label.

# %% [markdown]
# ## 2. Pulling parameters: L1, L2 and L2-SP
#
# Regularisation (正则化) adds a price for the weights themselves:
#
# $$\min_w \; \frac1N \lVert y - Xw \rVert^2 + \alpha\, \Omega(w), \qquad
#   \Omega(w) = \begin{cases}
#     \lVert w \rVert_1 = \sum_j |w_j| & \text{L1, lasso} \\
#     \lVert w \rVert^2 = \sum_j w_j^2 & \text{L2, ridge} \\
#     \lVert w - w_\text{src} \rVert^2 & \text{L2-SP: towards the source's parameters}
#   \end{cases}$$
#
# The last is transfer by parameters: keep the source model's weights $w_\text{src}$ as the *starting
# point* (hence SP), and pay for leaving it. L2-SP with $w_\text{src} = 0$ is ridge; for a linear
# model it is also called **biased ridge**, or ridge with a source prior.
#
# **L2 and L2-SP** are smooth. Set the gradient to zero:
# $\frac2N X^\top (Xw - y) + 2\alpha (w - w_\text{src}) = 0$, so
#
# $$w = \Big( \tfrac1N X^\top X + \alpha I \Big)^{-1} \Big( \tfrac1N X^\top y + \alpha\, w_\text{src} \Big).$$
#
# For ridge with a source prior in the form
# $\min \lVert y - Xw \rVert^2 + \alpha' \lVert w - w_\text{src} \rVert^2$, put $\alpha' = N \alpha$.
#
# **L1** has a kink at 0. A gradient step on the data, followed by *soft thresholding*, which moves
# each weight towards 0 by $\eta\alpha$ and stops there, finds its minimum ($\eta$: the step).


# %% tags=["keep"]
def l2sp(X, y, alpha, w_source):
    """Return the weights (d,) of ridge regression pulled towards ``w_source``."""
    A = X.T @ X / len(y) + alpha * np.eye(X.shape[1])
    return np.linalg.solve(A, X.T @ y / len(y) + alpha * w_source)


def lasso(X, y, alpha, steps=500):
    """Return the weights (d,) of L1-regularised least squares, by proximal gradient steps."""
    A, b, w = X.T @ X / len(y), X.T @ y / len(y), np.zeros(X.shape[1])
    rate = 1 / (2 * np.linalg.eigvalsh(A)[-1])
    for _ in range(steps):
        moved = w - rate * 2 * (A @ w - b)
        w = np.sign(moved) * np.maximum(np.abs(moved) - rate * alpha, 0)
    return w


# %%
from sklearn.linear_model import Lasso, Ridge

rng = np.random.default_rng([course.seed, 11])
w_src = np.array([3.0, 2.0, -2.0, 1.0, 0.0])
w_true = w_src + [0.0, 0.0, 0.5, -1.0, 0.0]  # the target differs in two weights
X, y = sample(25, w_true, np.eye(5), rng)

shifted = Ridge(alpha=25 * 0.3, fit_intercept=False).fit(X, y - X @ w_src).coef_ + w_src
print("L2-SP = scikit-learn's Ridge on what the source leaves over:",
      np.allclose(shifted, l2sp(X, y, 0.3, w_src)))  # fmt: skip
library = Lasso(alpha=0.5 / 2, fit_intercept=False, tol=1e-10).fit(X, y).coef_
print("L1 = scikit-learn's Lasso (its data term has 1/2N):", np.allclose(library, lasso(X, y, 0.5)))

# %% [markdown]
# The second line holds a trick to keep: **biased ridge is ordinary ridge on the residuals of the
# source model**. Put $v = w - w_\text{src}$; then $y - Xw = (y - X w_\text{src}) - Xv$, and the price
# is $\lVert v \rVert^2$. Any library that has ridge has transfer.

# %%
alphas = np.logspace(-2, 2, 40)
paths = {
    "L1: towards 0, one after another": [lasso(X, y, a) for a in alphas],
    "L2: towards 0, all together": [l2sp(X, y, a, np.zeros(5)) for a in alphas],
    "L2-SP: towards the source": [l2sp(X, y, a, w_src) for a in alphas],
}
last = {name: ", ".join(f"{round(w, 3) + 0:.3f}" for w in path[-1]) for name, path in paths.items()}
fig, axes = plots.figure(
    "Five weights over α from 0.01 to 100. At α = 100: "
    + "; ".join(f"{name}, {words}" for name, words in last.items())
    + f". The source's weights are {', '.join(f'{w:.0f}' for w in w_src)}.",
    ncols=3,
    figsize=(10, 3.5),
    sharey=True,
)
for ax, (name, path) in zip(axes, paths.items()):
    ax.plot(alphas, path, markevery=8, ms=4, label=[f"$w_{j}$" for j in range(1, 6)])
    ax.plot(np.full(5, 160), w_src, "k<", ms=5, clip_on=False)
    ax.set(xscale="log", xlabel="α (no unit)", title=name)
    ax.title.set_fontsize(10)
axes[0].set_ylabel("Weight (no unit)")
axes[1].legend(fontsize=8, ncols=2, loc=(0.42, 0.06))
fig

# %% [markdown]
# The black marks at the right edges are the source's weights. L1 switches weights off one by one; L2
# shrinks all and switches none off; L2-SP ends at the source. A strong pull to zero *forgets*, a strong
# pull to the source *refuses to learn*.
#
# **Exercise.** For a network there is no closed form, but there is a gradient. Write that of the
# L2-SP objective.


# %% tags=["keep"] exercise="09.l2sp_gradient"
def l2sp_gradient(X, y, w, w_source, alpha):
    """Return the gradient of mse(X @ w) + alpha * ||w - w_source||^2 by w, shape (d,)."""
    ### BEGIN SOLUTION
    return 2 / len(y) * X.T @ (X @ w - y) + 2 * alpha * (w - w_source)
    ### END SOLUTION


ex.l2sp_gradient.check(l2sp_gradient)

# %% [markdown]
# **The link to the total loss** of [lesson 02](02_two_losses.ipynb). There
# $L_\text{total} = L_\text{shared} + \lambda L_\text{task}$, the mean squared errors of the source
# and of the target. Let $w_\text{src}$ minimise $L_\text{shared}$. A quadratic is known by its
# minimum and its curvature:
# $L_\text{shared}(w) = L_\text{shared}(w_\text{src}) + (w - w_\text{src})^\top A_s (w - w_\text{src})$.
# So minimising $L_\text{shared} + \lambda L_\text{task}$ is L2-SP on the target, with
# $\alpha = 1/\lambda$ and distances measured by $A_s$. The source's weights *and* the $(d, d)$ matrix
# $A_s$ together replace its data in this sum: you can transfer from them when the data themselves
# may not be shared. With the weights alone one puts $I$ for $A_s$: that is plain L2-SP, no longer
# the same minimiser.

# %%
rng = np.random.default_rng([course.seed, 3])  # the two domains of lesson 02
X_s, y_s = sample(400, np.array([2.0, 0.0]), [[1, 0.8], [0.8, 1]], rng)
X_t, y_t = sample(6, np.array([1.4, 1.0]), [[1, -0.5], [-0.5, 1]], rng)

w_fit = np.linalg.lstsq(X_s, y_s, rcond=None)[0]
A_s, A_t = X_s.T @ X_s / len(y_s), X_t.T @ X_t / len(y_t)
without_source_data = np.linalg.solve(
    A_t + A_s / 3.0,  # alpha = 1 / lambda, with lambda = 3
    X_t.T @ y_t / len(y_t) + A_s @ w_fit / 3.0,
)
with_source_data = total_minimiser(X_s, y_s, X_t, y_t, lam=3.0)
weights_alone = l2sp(X_t, y_t, 1 / 3.0, w_fit)
print("from the source's data:     ", with_source_data.round(3))
print("from its weights and A_s:   ", without_source_data.round(3))
print("from its weights, I for A_s:", weights_alone.round(3))
print("the first two are the same:", np.allclose(without_source_data, with_source_data))

# %% [markdown]
# ## 3. Ridge transfer on real tables
#
# Articles like to tell of house prices: a model of one region helps in another where few prices are
# known. Is it true? In the **full** profile this section takes the California housing data (source:
# inland blocks, target: blocks near the coast). Without that download it takes 442 diabetes patients:
# ten measurements of each, and how far the disease had progressed a year later. Source are the
# patients of one sex, target those of the other; the data set does not say which code is which.


# %% tags=["keep"]
def diabetes():
    """Return inputs and outputs of source and target: the two sexes. Sex is not an input."""
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True, scaled=False)
    source, inputs = X[:, 1] == 1, np.delete(X, 1, axis=1)
    return inputs[source], y[source], inputs[~source], y[~source], "points of progression"


def california():
    """Return source (inland) and target (coast); downloads 0.4 MB once."""
    from sklearn.datasets import fetch_california_housing

    X, y = fetch_california_housing(return_X_y=True)
    shore = np.array([[32.7, -117.2], [33.9, -118.4], [34.4, -119.7], [35.3, -120.8],
                      [36.6, -121.9], [37.7, -122.5], [39.0, -123.7], [40.8, -124.2]])  # fmt: skip
    between = np.linspace(0, 1, 20)[:, None, None]
    line = (shore[:-1] + between * (shore[1:] - shore[:-1])).reshape(-1, 2)
    to_line = (X[:, None, 6:] - line) * [111, 91]  # degrees to kilometres, near 35 degrees north
    source = np.sqrt((to_line**2).sum(axis=2).min(axis=1)) > 30
    inputs = np.log(X[:, :6])  # long right tails
    return inputs[source], 100 * y[source], inputs[~source], 100 * y[~source], "thousand dollars"


# %%
try:
    tables = diabetes() if course.quick else california()
except OSError as error:  # no network
    print(f"California housing could not be downloaded ({type(error).__name__}); diabetes instead.")
    tables = diabetes()
X_source, y_source, X_pool, y_pool, unit = tables
print(f"source {X_source.shape}, target {X_pool.shape}, output in {unit}")
print(f"mean output: source {y_source.mean():.0f}, target {y_pool.mean():.0f}")

# %% [markdown]
# **A fair comparison** needs four things.
#
# - *The same split for all*: a few labelled target rows to train on, another half of the target
#   rows to test on.
# - *No peeking*: ridge needs inputs on one scale, and the **scaler is fitted on training data
#   only**. If it sees the test rows, their mean leaks into the model.
# - *A tuned control*: each method chooses its α by **leave-one-out** (留一法) on its own training
#   rows: each training row is predicted by a fit to the others. A weak control makes any method
#   look good.
# - *Repetition*: 20 random splits, and the spread beside the mean.
#
# **Exercise.** Standardise training and test rows: mean 0 and standard deviation 1 per column, as
# far as the training rows can tell.


# %% exercise="09.standardise"
def standardise(X_train, X_test):
    """Return both arrays, scaled by the means and standard deviations of the training rows."""
    ### BEGIN SOLUTION
    mean, deviation = X_train.mean(axis=0), X_train.std(axis=0)
    return (X_train - mean) / deviation, (X_test - mean) / deviation
    ### END SOLUTION


ex.standardise.check(standardise)

# %% [markdown]
# Five methods. Biased ridge is the trick of section 2: ridge on what the source model leaves over.
# It keeps the source's scaler, because weights only mean something in the scale they were fitted in.
# The correction's constant is not pulled; only its weights are. How much does the constant do alone?
# *Source + constant* adds one number to the source model, the mean of what it leaves over.

# %% tags=["keep"]
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ALPHAS = np.logspace(0, 4, 13)


def ridge(X, y):
    """Fit scaler and ridge on these rows; alpha by leave-one-out on them."""
    return make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(X, y)


def five_methods(X_s, y_s, X_t, y_t, X_new):
    """Return the predictions of each method for new target rows, by name."""
    source = ridge(X_s, y_s)
    scaler, left_over = source[0], y_t - source.predict(X_t)
    correction = RidgeCV(ALPHAS).fit(scaler.transform(X_t), left_over)
    return {
        "source only": source.predict(X_new),
        "source + constant": source.predict(X_new) + left_over.mean(),
        "target only": ridge(X_t, y_t).predict(X_new),
        "pooled": ridge(np.vstack([X_s, X_t]), np.r_[y_s, y_t]).predict(X_new),
        "biased ridge": source.predict(X_new) + correction.predict(scaler.transform(X_new)),
    }


# %%
label_counts, scores = ([10, 20, 40, 80] if len(y_pool) < 1000 else [10, 20, 40, 80, 200]), {}
for n in label_counts:
    for split in range(20):
        rows = np.random.default_rng([course.seed, 13, split]).permutation(len(y_pool))
        train, test = rows[:n], rows[-len(rows) // 2 :]
        predictions = five_methods(X_source, y_source, X_pool[train], y_pool[train], X_pool[test])
        for name, values in predictions.items():
            rmse = np.sqrt(mse(y_pool[test], values))
            scores.setdefault(name, {}).setdefault(n, []).append(rmse)

print(f"root mean squared error in {unit}: mean ± standard deviation over 20 splits")
for name, by_count in scores.items():
    print(f"{name:17}", *(f"{np.mean(v):6.1f} ±{np.std(v):4.1f}" for v in by_count.values()))

# %%
middle = {name: [np.mean(v) for v in by.values()] for name, by in scores.items()}
fig, ax = plots.figure(
    f"Root mean squared error on the target over {label_counts[0]} to {label_counts[-1]} target "
    "labels, mean and standard deviation over 20 splits. "
    + "; ".join(f"{name}: from {m[0]:.1f} to {m[-1]:.1f}" for name, m in middle.items())
    + ".",
)
for place, (name, by_count) in enumerate(scores.items()):
    spread = [np.std(v) for v in by_count.values()]
    at = np.array(label_counts) * 1.04 ** (place - 2)  # side by side
    ax.errorbar(at, middle[name], spread, capsize=3, label=name)
ax.set(xscale="log", xlabel="Target labels (count)", ylabel=f"Error ({unit})")
ax.set(title="Mean and standard deviation over 20 splits")
ax.set_xticks(label_counts, [str(n) for n in label_counts])
ax.set_xticks([], minor=True)
ax.legend()
fig

# %%
mean = {name: dict(zip(label_counts, m)) for name, m in middle.items()}


def less_error(labels, control):
    """Return by how much biased ridge is below a control, in percent of the control's error."""
    return 100 * (1 - mean["biased ridge"][labels] / mean[control][labels])


on_diabetes = "progression" in unit  # the claims are about these data
if on_diabetes:
    claim(
        "09.biased-ridge-10",
        "With 10 target labels biased ridge has at least 4 % less error than the target alone.",
        less_error(10, "target only"),
        at_least=4,
        unit="%",
    )
    claim(
        "09.biased-ridge-20",
        "With 20 target labels it has at least 2 % less error than the target alone.",
        less_error(20, "target only"),
        at_least=2,
        unit="%",
    )

# %%
if on_diabetes:
    claim(
        "09.biased-ridge-source",
        "With 40 target labels it has at least 4 % less error than the source alone.",
        less_error(40, "source only"),
        at_least=4,
        unit="%",
    )
    claim(
        "09.biased-ridge-constant",
        "With 80 target labels it has at least 2 % less error than source + constant.",
        less_error(80, "source + constant"),
        at_least=2,
        unit="%",
    )
    claim(
        "09.biased-ridge-40",
        "With 40 target labels it is the lowest of the five, or within 1 % of the lowest.",
        min(less_error(40, name) for name in mean if name != "biased ridge"),
        at_least=-1,
        unit="%",
    )

# %% [markdown]
# Now plainly, where there is **no gain**:

# %%
if on_diabetes:
    claim(
        "09.no-gain-10",
        "With 10 labels biased ridge does not clearly beat the source alone: at most 3 % less error.",
        less_error(10, "source only"),
        at_most=3,
        unit="%",
    )
    claim(
        "09.no-gain-constant",
        "With 10 labels it has at most 1 % less error than source + constant, and than pooling.",
        max(less_error(10, "source + constant"), less_error(10, "pooled")),
        at_most=1,
        unit="%",
    )

# %%
spread_10 = {name: np.std(by_count[10]) for name, by_count in scores.items()}
if on_diabetes:
    claim(
        "09.spread-10",
        "With 10 labels its error varies over the splits at least 1.2 times as much as those two do.",
        spread_10["biased ridge"] / max(spread_10["source + constant"], spread_10["pooled"]),
        at_least=1.2,
    )
    claim(
        "09.no-gain-20",
        "With 20 labels biased ridge and source + constant differ by at most 3 %.",
        abs(less_error(20, "source + constant")),
        at_most=3,
        unit="%",
    )
    claim(
        "09.no-gain-80",
        "With 80 labels biased ridge and the target alone differ by at most 3 %.",
        abs(less_error(80, "target only")),
        at_most=3,
        unit="%",
    )

# %% [markdown]
# On these patients, with 10 labels, pooling and a single constant do at least as well as biased
# ridge, and vary less. With 20 labels the constant alone is still about as good. With 40 biased ridge
# is the lowest, or close to it. With 80 it is clearly below the constant: now the corrected weights
# pay. But there the target alone is close, and simpler. Look at the spread as well: with few labels
# it is wide for the methods that lean on the target, so a single split could show any order.
#
# Pooling is a good first try when the source is not much larger than the target. But it is the sum
# of lesson 02: the source patients outvote the target patients, and it gains slowly.
#
# Whether houses behave so, the full profile tells. Read its table in the same way: from which number
# of labels on is biased ridge below source + constant, and where does the target alone catch up?

# %% [markdown]
# ## Your progress

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - $\mathbb E \lVert f(x_s) - x_t \rVert^2$ over independent pairs collapses to a constant. Alignment
#   needs pairs or a distance of distributions, and matched distributions may have swapped classes.
# - L2-SP is ridge on what the source model leaves over: any library that has ridge has transfer.
# - Compare with source only, with target only *and* with the source plus one constant, on the same
#   splits, with the spread.
#
# **Next:** the [glossary](glossary.md) has every term; where transfer is used, and short answers to
# frequent questions, are in [appendix A1](A1_fields_and_questions.ipynb).
#
# ## Sources
#
# - Procrustes: P. H. Schönemann (1966), *A generalized solution of the orthogonal Procrustes
#   problem*, [doi:10.1007/BF02289451](https://doi.org/10.1007/BF02289451).
# - MMD: A. Gretton et al. (2012), *A kernel two-sample test*,
#   [JMLR 13](https://jmlr.org/papers/v13/gretton12a.html).
# - CORAL: B. Sun, J. Feng and K. Saenko (2016), *Return of frustratingly easy domain adaptation*,
#   [arXiv:1511.05547](https://arxiv.org/abs/1511.05547); its loss: B. Sun and K. Saenko (2016), *Deep
#   CORAL*, [arXiv:1607.01719](https://arxiv.org/abs/1607.01719).
# - Why matched marginals are not enough: H. Zhao et al. (2019), *On learning invariant representations
#   for domain adaptation*, [arXiv:1901.09453](https://arxiv.org/abs/1901.09453).
# - L2-SP: X. Li, Y. Grandvalet and F. Davoine (2018), *Explicit inductive bias for transfer learning
#   with convolutional networks*, [arXiv:1802.01483](https://arxiv.org/abs/1802.01483).
# - The diabetes data: B. Efron et al. (2004), *Least angle regression*,
#   [doi:10.1214/009053604000000067](https://doi.org/10.1214/009053604000000067); the copy that
#   scikit-learn installs.
# - California housing: R. K. Pace and R. Barry (1997), *Sparse spatial autoregressions*,
#   [doi:10.1016/S0167-7152(96)00140-X](https://doi.org/10.1016/S0167-7152%2896%2900140-X).
