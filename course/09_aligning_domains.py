# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lessons 02 and 08; matrices, and what an SVD is" engine="none"
# # 09. Aligning domains: the mathematics
#
# When two domains differ, why not lay one on the other? Because "on the other" has more than one
# meaning, and some of them are useless. You take the usual objectives apart, break them, and see what
# remains true. Afterwards you can
#
# - say why a mapping fitted to random pairs collapses, and find a rotation from true pairs;
# - measure the distance of two clouds without bias, and say what it cannot see;
# - compute the three terms of the bound on the target's error;
# - turn any ridge regression into transfer, and derive its gradient for a network;
# - find the faults in a transfer study on house prices.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("09")
ex = course.exercises

# %% [markdown]
# Three questions first. They come back at the end, and then they count.

# %%
ex.before("q_collapse", "q_marginals", "q_distance")

# %% tags=["keep"]
import numpy as np
from scipy.spatial.distance import cdist, pdist
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from transfer_lib import plots
from transfer_lib.claims import claim

# %% [markdown]
# ## 1. A mapping, and its collapse
#
# Some texts define transfer by two mappings: $f$ takes source inputs to the target's space, $g$ takes
# source outputs there, and both minimise
#
# $$J(f, g) = \mathbb E\, \lVert f(x_s) - x_t \rVert^2 + \mathbb E\, \lVert g(y_s) - y_t \rVert^2 .$$
#
# Which $x_t$ belongs to which $x_s$? The formula does not say. Here is the source turned by 40 degrees
# and moved, and an affine map fitted by least squares: once to the true pairs, once to random ones.


# %% tags=["keep"]
def cloud(n, rng):
    """Draw two classes side by side: points (n, 2), labels (n,)."""
    classes = np.arange(n) % 2
    points = rng.normal(size=(n, 2)) * [0.5, 0.8]
    points[:, 0] += 3 * classes - 1.5
    return points, classes


def rotation(degrees):
    """Return the matrix (2, 2) that turns row vectors by this angle."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, s], [-s, c]])


# %%
rng = np.random.default_rng(course.seed)
source, classes = cloud(2000, rng)
target = source @ rotation(40) + [2.0, 1.0] + 0.1 * rng.normal(size=(2000, 2))
inputs = np.c_[source, np.ones(2000)]
mapped = {
    name: inputs @ np.linalg.lstsq(inputs, goal, rcond=None)[0]
    for name, goal in {"true pairs": target, "random pairs": rng.permutation(target)}.items()
}

# %% tags=["hide-input"]
fig, axes = plots.figure(None, ncols=2, figsize=(8, 3.6), sharex=True, sharey=True)
for ax, (name, points) in zip(axes, mapped.items(), strict=True):
    ax.plot(*target[:300].T, ".", color="#767676", label="target")
    ax.plot(*points[:300].T, "^", color=plots.COLORS[1], ms=3, label="mapped source")
    ax.set(title=f"Fitted to {name}", xlabel="First feature (no unit)", aspect="equal")
axes[0].legend()
fig

# %% [markdown]
# With random pairs everything lands on one point. It must: if $x_s$ and $x_t$ are independent, with
# $\mu = \mathbb E\, x_t$,
#
# $$\mathbb E \lVert f(x_s) - x_t \rVert^2 = \mathbb E \lVert f(x_s) - \mu \rVert^2 + \mathbb E \lVert x_t - \mu \rVert^2,$$
#
# because the mixed term has the expectation zero. The last term does not hold $f$; the first is zero
# for the constant $f = \mu$. A deeper network does not help: the proof never used that $f$ is affine.
#
# ### With pairs: Procrustes
#
# Let the rows of $S$ and $T$, both (n, d), be pairs with their means taken out. The rotation or
# reflection $Q$ that brings $SQ$ nearest to $T$ comes from a singular value decomposition: with
# $S^\top T = U \Sigma V^\top$ it is $Q = U V^\top$.
#
# ### Exercise: a map from pairs
#
# The pairs come as they are, means included. Return new source points, turned and moved.


# %% tags=["keep"] exercise="09.procrustes"
def procrustes(S, T, new):
    """Return `new` (k, d), mapped as the pairs say: S (n, d) belongs row by row to T (n, d)."""
    ### BEGIN SOLUTION
    middle_s, middle_t = S.mean(axis=0), T.mean(axis=0)
    U, _, Vt = np.linalg.svd((S - middle_s).T @ (T - middle_t))
    return (new - middle_s) @ U @ Vt + middle_t
    ### END SOLUTION


ex.procrustes.check(procrustes)

# %% [markdown]
# ## 2. Without pairs: compare the clouds
#
# The **maximum mean discrepancy** (MMD) asks how alike points are within each cloud, less how alike
# they are across. Alike is measured by a kernel, $k(a, b) = e^{-\lVert a - b \rVert^2 / 2\sigma^2}$:
#
# $$\mathrm{MMD}^2 = \mathbb E\, k(s, s') + \mathbb E\, k(t, t') - 2\, \mathbb E\, k(s, t).$$
#
# It is zero exactly when both distributions are the same. Estimated by the means of the three kernel
# matrices it is too large: the diagonal of $K_{ss}$ compares each point with itself.


# %% tags=["keep"]
def gaussian_kernel(a, b, width):
    """Return the kernel of all pairs, (n, d) and (m, d) to (n, m)."""
    return np.exp(-cdist(a, b, "sqeuclidean") / (2 * width**2))  # cdist: distances of all pairs


def mmd2(source, target, width):
    """Return the plain (biased) estimate of the squared MMD."""
    within = [gaussian_kernel(p, p, width).mean() for p in (source, target)]
    return sum(within) - 2 * gaussian_kernel(source, target, width).mean()


# %% [markdown]
# ### Exercise: without the diagonals
#
# $$\widehat{\mathrm{MMD}}{}^2_u = \frac{1}{n(n-1)} \sum_{i \ne j} k(s_i, s_j)
#  + \frac{1}{m(m-1)} \sum_{i \ne j} k(t_i, t_j) - \frac{2}{nm} \sum_{i, j} k(s_i, t_j)$$


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
# Now minimise it: let the source's points drift by an affine map until the clouds meet. No pairs, no
# target labels. The target is turned by 40 degrees, or by 140. (The gradient is that of MMD² by each
# point: points push their own kind away and are drawn to the target.)


# %% tags=["keep", "hide-input"]
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
    width, path = np.median(pdist(np.vstack([source, target]))), []
    for _ in range(steps + 1):
        z = source @ A + c
        path.append(z)
        G = mmd2_gradient(z, target, width)
        A, c = A - rate * source.T @ G, c - rate * G.sum(axis=0)
    return path


def aligned_case(angle, rng, n=100):
    """Return source, its classes, turned target, its classes, and the path of `align`."""
    (points, kinds), (other, truth) = cloud(n, rng), cloud(n, rng)
    moved = other @ rotation(angle) + [2.0, 1.0]
    return points, kinds, moved, truth, align(points, moved)


# %% tags=["hide-input"]
cases = {angle: aligned_case(angle, np.random.default_rng(course.seed)) for angle in (40, 140)}


def draw_clouds(angle, step):
    points, kinds, moved, truth, path = cases[angle]
    right = LogisticRegression().fit(path[step], kinds).score(moved, truth)
    fig, ax = plots.figure(figsize=(6.2, 4.2))
    for kind, marker in enumerate("o^"):
        style = {"marker": marker, "color": plots.COLORS[kind]}
        here = moved[truth == kind].T
        ax.scatter(*here, facecolors="none", edgecolors=plots.COLORS[kind], marker=marker)
        ax.scatter(*path[step][kinds == kind].T, s=18, label=f"source, class {kind}", **style)
    ax.set(xlim=(-4.5, 5.5), ylim=(-3.5, 4.5), xlabel="First feature (no unit)")
    ax.set_title(f"Step {step}: {100 * right:.0f} % of the target (open marks) right")
    ax.legend(fontsize=9, loc="lower right")
    return fig


# %% [markdown]
# Move the steps to the end. Then turn to 140 degrees and guess what the title will say.

# %% tags=["nbval-ignore-output"]
words = {"angle": "Target turned by (degrees)", "step": "Gradient steps"}
plots.interactive(draw_clouds, angle=[40, 140], step=[0, 3, 10, 100], descriptions=words)

# %% tags=["hide-input"]
claim("09.right")
claim("09.wrong")

# %% [markdown]
# **Perfectly aligned and perfectly wrong.** The shortest way from 140 degrees is 40 the other way, and
# there class 0 lies on class 1. The MMD compares $p(x)$ and knows no labels. A network has a cheaper
# distance of clouds, the **CORAL loss**, which compares only covariances, and is as blind:
#
# $$L_\text{CORAL} = \frac{1}{4 d^2} \lVert C_s - C_t \rVert_F^2, \qquad
#   C = \frac{1}{n-1} (X - \bar X)^\top (X - \bar X).$$
#
# $\lVert \cdot \rVert_F^2$ is the sum of all squared entries, $d$ the number of features.
#
# ### Exercise: the CORAL loss


# %% tags=["keep"] exercise="09.coral_loss"
def coral_loss(source, target):
    """Return the CORAL loss of two samples of shapes (n, d) and (m, d)."""
    ### BEGIN SOLUTION
    difference = np.cov(source.T) - np.cov(target.T)
    return np.sum(difference**2) / (4 * source.shape[1] ** 2)
    ### END SOLUTION


ex.coral_loss.check(coral_loss)

# %% [markdown]
# ## 3. What can be promised: a bound
#
# Ben-David and others (2010) bound the target's error of a classifier $h$ by three terms:
#
# $$\varepsilon_T(h) \;\le\; \varepsilon_S(h) \;+\; \tfrac12\, d(S, T) \;+\; \lambda^* .$$
#
# $\varepsilon_S$ is its source error. $d$ says how well the two *inputs* can be told apart. $\lambda^*$ is the error
# that the best single classifier makes on both together: large when the same input has two answers. (Neither the λ
# nor the λ* of lesson 02.) In practice $d$ is replaced by the **proxy distance**: train a classifier of domains, take
# its error $\varepsilon$ on held-out points, and $d = 2 (1 - 2 \varepsilon)$.
#
# ### Exercise: the proxy distance
#
# Given the domain classifier's *predictions* and the truth, 0 for source and 1 for target.


# %% tags=["keep"] exercise="09.proxy_distance"
def proxy_distance(predicted, domain):
    """Return 2 (1 - 2 error), from held-out predictions and true domains, both (n,)."""
    ### BEGIN SOLUTION
    error = np.mean(predicted != domain)
    return 2 * (1 - 2 * error)
    ### END SOLUTION


ex.proxy_distance.check(proxy_distance)

# %%
from transfer_lib.taught.lesson_09 import coral_loss, proxy_distance


# %% tags=["keep"]
def bound_terms(angle, rng, n=400):
    """Return source error, half the proxy distance, joint error, and target error, in percent."""
    (x_s, y_s), (x_t, y_t) = cloud(n, rng), cloud(n, rng)
    x_t = x_t @ rotation(angle)
    h = LogisticRegression().fit(x_s, y_s)
    x, domain = np.r_[x_s, x_t], np.repeat([0, 1], n)
    order = rng.permutation(2 * n)
    some, rest = order[:n], order[n:]
    teller = make_pipeline(StandardScaler(), RidgeCV()).fit(kinds_of(x[some]), domain[some])
    told = (teller.predict(kinds_of(x[rest])) > 0.5).astype(int)
    both = LogisticRegression().fit(x, np.r_[y_s, y_t])
    joint = 2 - both.score(x_s, y_s) - both.score(x_t, y_t)
    d = proxy_distance(told, domain[rest])
    return [100 * v for v in (1 - h.score(x_s, y_s), d / 2, joint, 1 - h.score(x_t, y_t))]


def kinds_of(x):
    """Return the features of the domain classifier: products up to the fourth degree."""
    a, b = x.T
    return np.stack([a**i * b**j for i in range(5) for j in range(5 - i)], axis=1)


# %% tags=["hide-input"]
import pandas as pd

rows = {f"{angle}°": bound_terms(angle, rng) for angle in (0, 40, 90, 140, 180)}
names = ["source error", "½ distance", "joint error", "target error"]
pd.DataFrame(rows, index=names).T.round(0)  # in percent

# %% tags=["hide-input"]
claim("09.blind")
claim("09.joint")

# %% [markdown]
# Read the rows of 0 and 180 degrees: the distance cannot tell them apart, for half a turn maps this
# cloud onto itself. The target error is near zero in the one and near 100 % in the other. What differs
# is the third term, and it needs target *labels*. A small distance promises nothing by itself.
#
# ## 4. Pulling parameters
#
# The other way does not move the data. **L2-SP** keeps the source's weights $w_s$ as a starting point
# and pays for leaving them; with $w_s = 0$ it is ridge, and in statistics it is called *biased
# regularisation* (Kuzborskij and Orabona, 2013):
#
# $$\min_w \; \tfrac1N \lVert y - Xw \rVert^2 + \alpha \lVert w - w_s \rVert^2 .$$
#
# In a network the new head has no source. Li and others (2018) add a plain $\beta \lVert w_\text{new} \rVert^2$ for
# it. And where some weights matter more to the source than others, each gets its own α: elastic weight consolidation
# (EWC), in which α is large where the source's answers depend on the weight; lesson 13 builds it.
#
# ### Exercise: the gradient


# %% tags=["keep"] exercise="09.l2sp_gradient"
def l2sp_gradient(X, y, w, w_source, alpha):
    """Return the gradient of mse(X @ w) + alpha * ||w - w_source||^2 by w, shape (d,)."""
    ### BEGIN SOLUTION
    return 2 / len(y) * X.T @ (X @ w - y) + 2 * alpha * (w - w_source)
    ### END SOLUTION


ex.l2sp_gradient.check(l2sp_gradient)

# %% [markdown]
# Put $v = w - w_s$. Then $y - Xw = (y - X w_s) - Xv$, and the price is $\alpha \lVert v \rVert^2$: plain
# ridge on *what the source model leaves over*. So any library that has ridge has transfer.
#
# ### Exercise: biased ridge with scikit-learn
#
# `source_model` is fitted and has `predict`. Fit `Ridge(alpha)` to what it leaves over on the target
# rows, and predict for new ones.


# %% tags=["keep"] exercise="09.biased_ridge"
def biased_ridge(source_model, X_t, y_t, X_new, alpha):
    """Return predictions (k,) for X_new (k, d), from the source model and the target rows."""
    ### BEGIN SOLUTION
    left_over = y_t - source_model.predict(X_t)
    correction = Ridge(alpha).fit(X_t, left_over)
    return source_model.predict(X_new) + correction.predict(X_new)
    ### END SOLUTION


ex.biased_ridge.check(biased_ridge)

# %% [markdown]
# ## 5. Does it help? Real tables
#
# 442 diabetes patients, ten measurements each, and how far the disease had progressed a year later.
# The source are the patients of one sex, the target those of the other. (`full` takes California's
# house prices: inland, then the coast.) A fair comparison has the same target rows for all, a scaler
# that never saw the test, a tuned control, and repetition. And one more control: the source model *plus
# one constant*.


# %% tags=["keep", "hide-input"]
ALPHAS = np.logspace(0, 4, 13)


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


# %% tags=["keep"]
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


# %% tags=["keep"]
def errors(tables, n, split):
    """Return name to root mean squared error with n target labels, for one split of the target."""
    X_s, y_s, X_pool, y_pool, _ = tables
    rows = np.random.default_rng(split).permutation(len(y_pool))
    train, test = rows[:n], rows[-len(rows) // 2 :]
    predicted = five_methods(X_s, y_s, X_pool[train], y_pool[train], X_pool[test])
    return {name: np.sqrt(np.mean((y_pool[test] - p) ** 2)) for name, p in predicted.items()}


# %%
tables = diabetes() if course.quick else california()
found = {n: [errors(tables, n, [course.seed, i]) for i in range(10)] for n in (10, 20, 40, 80)}

# %% tags=["hide-input"]
fig, ax = plots.figure(figsize=(7.4, 3.8))
for place, name in enumerate(found[10][0]):
    values = [[run[name] for run in runs] for runs in found.values()]
    at = np.array(list(found)) * 1.04 ** (place - 2)  # side by side
    style = {"color": plots.COLORS[place], "marker": plots.MARKERS[place]}
    ax.errorbar(at, np.mean(values, 1), np.std(values, 1), capsize=3, label=name, **style)
ax.set(xscale="log", xlabel="Target labels (count)", ylabel=f"Error ({tables[-1]})")
ax.set_xticks(list(found), [str(n) for n in found])
ax.set_xticks([], minor=True)
ax.set_title("Mean and standard deviation over ten splits")
ax.legend(fontsize=9)
fig

# %% tags=["hide-input"]
for name in ("ridge-10", "constant-10", "constant-80", "target-80"):
    claim(f"09.{name}")

# %% [markdown]
# Plainly: with 10 labels the gain over the target alone is real, and one constant brings more of it.
# With 80 the corrected weights pay against the constant, and the target alone has caught up.
#
# ## 6. A study that is passed around
#
# Written anew after a tutorial: "transfer learning for house prices". Find **four** faulty lines.
#
# ```
#  1  from sklearn.datasets import load_boston
#  2  X, y = load_boston(return_X_y=True)
#  3  X_source, X_target, y_source, y_target = train_test_split(X, y, test_size=0.5)
#  4  scaler = StandardScaler().fit(X_source)
#  5  polynomial = PolynomialFeatures(degree=2)
#  6  model = Ridge(alpha=1.0)
#  7  model.fit(scaler.transform(X_source), y_source)      # "polynomial ridge on the source"
#  8  tuned = Ridge(alpha=1.0)
#  9  tuned.fit(scaler.transform(X), y)                    # "fine-tuned on the target"
# 10  error = mean_squared_error(y_target, tuned.predict(scaler.transform(X_target)))
# 11  print(f"error {error:.1f}: transfer learning works")
# ```
#
# (What the study calls source and target are halves of one table, line 3. Take that as its choice of
# data, and look for the lines that do not do what is said of them.)

# %% exercise="09.faults"
faults = {1, 7, 9, 11}  ### SOLUTION
ex.faults.check(faults)

# %% [markdown]
# ## 7. Now they count: the three questions of the beginning

# %%
ex.q_collapse.ask(...)

# %%
ex.q_marginals.ask(...)

# %%
ex.q_distance.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - Fitted to random pairs, a mapping collapses. It needs pairs, or a distance of distributions.
# - Matched distributions can have swapped classes; the bound's third term needs labels.
# - Biased ridge is ridge on what the source leaves over.
# - Compare with source only, target only *and* the source plus one constant.
#
# **Next:** [lesson 10](10_adapting_networks.ipynb) trains networks against such distances;
# [lesson 03](03_digits.ipynb) comes first if you have not done it.
#
# ## Sources
#
# - A. Gretton et al. (2012), [A kernel two-sample test](https://jmlr.org/papers/v13/gretton12a.html)
# - B. Sun and K. Saenko (2016), [Deep CORAL](https://arxiv.org/abs/1607.01719)
# - S. Ben-David et al. (2010), [A theory of learning from different
#   domains](https://doi.org/10.1007/s10994-009-5152-4)
# - X. Li, Y. Grandvalet and F. Davoine (2018), [Explicit inductive bias for transfer
#   learning](https://arxiv.org/abs/1802.01483)
# - I. Kuzborskij and F. Orabona (2013), [Stability and hypothesis transfer
#   learning](https://proceedings.mlr.press/v28/kuzborskij13.html)
# - B. Efron et al. (2004), [Least angle regression](https://doi.org/10.1214/009053604000000067):
#   the diabetes data
