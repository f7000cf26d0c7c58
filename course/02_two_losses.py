# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Python, NumPy arrays; the derivatives of a square, of exp and of log" engine="none"
# # 02. Two losses, one total
#
# Much data that does not quite fit, and a few that do: how much should each count? You answer it for
# a single number first, where every step can be seen, and end with the losses that networks use.
# Afterwards you can
#
# - write $L_{total} = L_{shared} + \lambda L_{task}$, and say where its minimum lies;
# - compute which $\lambda$ is best, and why neither end is;
# - tell a sum of losses from a mean, and say which weight a domain really gets;
# - derive the gradient of the cross-entropy, and let finite differences judge it;
# - mend gradient descent, and predict what a warm start saves.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("02")
ex = course.exercises

# %% [markdown]
# Three questions first. Answer from the gut: they come back at the end, and then they count.

# %%
ex.before("q_lambda", "q_sum", "q_warm")

# %% [markdown]
# ## 1. One number
#
# How many minutes does a delivery take? In the old town, the *source*, 500 were timed. In the new
# town, the *target*, only three. (The times are made for this lesson.) One number $w$ is to be
# promised to the new town's customers.

# %% tags=["keep"]
import numpy as np

from transfer_lib import plots

OLD_TOWN, NEW_TOWN, SPREAD = 20.0, 26.0, 6.0  # minutes: the two truths, and the spread of both


def deliveries(truth, n, rng):
    """Return the minutes of n deliveries around the truth."""
    return truth + SPREAD * rng.normal(size=n)


# %%
rng = np.random.default_rng(course.seed)
old, new = deliveries(OLD_TOWN, 500, rng), deliveries(NEW_TOWN, 3, rng)
print(f"old town: mean {old.mean():.1f}; new town: {', '.join(f'{t:.1f}' for t in new)} minutes")

# %% [markdown]
# The **squared error** $(y - w)^2$ says how bad the promise $w$ was for a delivery of $y$
# minutes. Averaged over deliveries, it is the **mean squared error**, a **loss**, and its minimum is at
# their mean. Which number would you promise: the old mean, the new mean, something between? Write it
# down.
#
# ## 2. Two losses, one total
#
# Let both towns have a say:
#
# $$L_{shared} = \frac1N \sum_{i=1}^{N} (y_i - \hat y_i)^2, \qquad
#   L_{task} = \frac1M \sum_{j=1}^{M} (z_j - \hat z_j)^2, \qquad
#   L_{total} = L_{shared} + \lambda L_{task}.$$
#
# $y$ are $N$ source values and $\hat y$ their predictions, $z$ are $M$ target values and $\hat z$
# theirs. A loss belongs to a *task*; shared is only the model that makes both predictions. $\lambda$
# (no unit) says how much the target's error counts beside the source's.
#
# ### Exercise: the total loss


# %% tags=["keep"] exercise="02.total_loss"
def total_loss(y, y_hat, z, z_hat, lam):
    """Return L_shared + lam * L_task; source arrays are (N,), target arrays (M,)."""
    ### BEGIN SOLUTION
    shared = np.mean((y - y_hat) ** 2)
    task = np.mean((z - z_hat) ** 2)
    return shared + lam * task
    ### END SOLUTION


ex.total_loss.check(total_loss)

# %% [markdown]
# ### Exercise: where is its minimum?
#
# Every prediction is the same number $w$. The derivative of $L_{shared}$ by $w$ is
# $2 (w - m_s)$, with the source's mean $m_s$, and that of $L_{task}$ is $2 (w - m_t)$. Take paper:
# write the derivative of $L_{total}$, set it to zero, and solve for $w$.


# %% tags=["keep"] exercise="02.minimiser"
def minimiser(m_s, m_t, lam):
    """Return the number w at which the total loss is smallest."""
    ### BEGIN SOLUTION
    return (m_s + lam * m_t) / (1 + lam)
    ### END SOLUTION


ex.minimiser.check(minimiser)

# %%
from transfer_lib.taught.lesson_02 import minimiser, total_loss

line = np.linspace(14, 34, 201)


# %% tags=["hide-input"]
def draw_lambda(lam):
    totals = [total_loss(old, w, new, w, lam) for w in line]
    best = minimiser(old.mean(), new.mean(), lam)
    fig, ax = plots.figure(figsize=(7.4, 3.6))
    ax.plot(line, totals, label="total loss", marker="")
    ax.plot(best, min(totals), "o", color="black", label=f"its minimum: {best:.1f} minutes")
    ax.plot(new, [20] * 3, "^", color=plots.COLORS[1], label="three deliveries of the new town")
    ax.axvline(old.mean(), color="grey", linewidth=1, label="mean of the old town")
    ax.set(xlabel="Promise w (minutes)", ylabel="Total loss (minutes²)", ylim=(0, 600))
    ax.set_title(f"λ = {lam:g}")
    ax.legend(loc="upper right", fontsize=9)
    return fig


# %% [markdown]
# The knob starts at $\lambda = 0$: the new town has no say. Where would you stop?

# %% tags=["nbval-ignore-output"]
LAMBDAS = [0, 0.1, 0.3, 1, 3, 10, 30, 100]
plots.interactive(draw_lambda, lam=LAMBDAS, descriptions={"lam": "λ"})

# %% [markdown]
# The minimum walks from one mean to the other. The loss itself does not say where to stop: its
# smallest value is at $\lambda = 0$, whatever the truth is.
#
# ## 3. Which λ is best?
#
# Imagine 300 companies in our place, each with three deliveries of its own. The truth of the new town
# is 26 minutes.

# %% tags=["hide-input"]
companies = np.array([deliveries(NEW_TOWN, 3, rng).mean() for _ in range(300)])
fig, ax = plots.figure(figsize=(7.4, 3))
for place, lam in enumerate((0.1, 1, 10)):
    promises = minimiser(OLD_TOWN, companies, lam)
    ax.scatter(promises, place + rng.uniform(-0.3, 0.3, 300), s=8, alpha=0.6, label=f"λ = {lam:g}")
ax.axvline(NEW_TOWN, color="black", linewidth=1)
ax.set_yticks(range(3), ["λ = 0.1", "λ = 1", "λ = 10"])
ax.set(xlabel="Promise (minutes)", title="300 companies, three deliveries each; line: the truth")
fig

# %% [markdown]
# A small λ is steady and off the mark: that is **bias**. A large λ is right on average and
# scattered: that is **variance**. Both cost:
#
# $$\text{extra error} = \underbrace{\Big(\frac{\delta}{1 + \lambda}\Big)^2}_{\text{bias squared}} +
#   \underbrace{\Big(\frac{\lambda}{1 + \lambda}\Big)^2 \frac{\sigma^2}{M}}_{\text{variance}}$$
#
# $\delta$ is the distance of the two truths, $\sigma$ the spread of single deliveries, both in
# minutes, $M$ the number of target labels. (The old town has so many that its mean is exact.)
#
# ### Exercise: the extra error


# %% tags=["keep"] exercise="02.extra_error"
def extra_error(lam, delta, sigma, m):
    """Return squared bias plus variance of the promise, in minutes squared."""
    ### BEGIN SOLUTION
    bias = delta / (1 + lam)
    variance = (lam / (1 + lam)) ** 2 * sigma**2 / m
    return bias**2 + variance
    ### END SOLUTION


ex.extra_error.check(extra_error)

# %% [markdown]
# Now the curve over $\lambda$ for 3, 10 and 30 labels; the dots are simulated companies. Predict: will
# the lowest point move to the left or to the right as labels grow?

# %% tags=["hide-input"]
from transfer_lib.taught.lesson_02 import extra_error

grid, delta = np.logspace(-2, 2, 41), NEW_TOWN - OLD_TOWN
fig, ax = plots.figure(figsize=(7.4, 3.8))
for i, m in enumerate((3, 10, 30)):
    curve = extra_error(grid, delta, SPREAD, m)
    style = {"color": plots.COLORS[i], "marker": plots.MARKERS[i]}
    ax.plot(grid, curve, label=f"{m} labels", markevery=[int(curve.argmin())], **style)
    means = [deliveries(NEW_TOWN, m, rng).mean() for _ in range(2000)]
    some = grid[::8]
    tried = [np.mean((minimiser(OLD_TOWN, np.array(means), g) - NEW_TOWN) ** 2) for g in some]
    ax.scatter(some, tried, s=14, color=plots.COLORS[i], alpha=0.6)
ax.set(xscale="log", xlabel="λ (no unit)", ylabel="Extra error (minutes²)", ylim=(0, 40))
ax.set_title("The mark is the best λ")
ax.legend()
fig

# %% [markdown]
# A U, and the reason for it: from the left the bias falls, from the right the variance rises. Setting
# the derivative to zero gives the place of its floor,
#
# $$\lambda^* = \frac{M \delta^2}{\sigma^2}.$$
#
# More labels, or towns farther apart: trust the target more. Noisier deliveries: less. Here it is 3.
# With a network nobody knows $\delta$, so $\lambda$ is chosen by cross-validation on target labels, but
# the rule still says in which direction to look.

# %% tags=["hide-input"]
from transfer_lib.claims import claim

for name in ("interior", "ends", "many"):
    claim(f"02.{name}")

# %% [markdown]
# ## 4. A sum is not a mean
#
# Many texts write the objective as sums over all examples, with $n_s$ of the source and $n_t$ of the
# target:
#
# $$R(f) = \sum_{i=1}^{n_s} L(y_i, f(x_i)) + \lambda \sum_{j=1}^{n_t} L(z_j, f(x_j))
#        = n_s \Big( \bar L_s + \lambda \frac{n_t}{n_s} \bar L_t \Big).$$
#
# $\bar L_s$ and $\bar L_t$ are the means. The factor $n_s$ in front moves no minimum. So the target's
# *effective* weight is $\lambda n_t / n_s$: with 500 and 3 deliveries, $\lambda = 1$ in the sum is
# 0.006 in the mean. Nobody chose that. (One article calls $R(f)$ a "cross-validation risk". It is a
# weighted **empirical risk**: the error on the data at hand. Cross-validation is a way to
# *choose* λ, on labels that were left out.)
#
# ### Exercise: the λ for equal weight
#
# A sum has $n_s = 20000$ source and $n_t = 20$ target examples. Which λ weighs both domains alike?

# %% exercise="02.equal_weight"
lam_equal = 20000 / 20  ### SOLUTION
ex.equal_weight.check(lam_equal)

# %% [markdown]
# ## 5. Classes: the cross-entropy
#
# A classifier gives each class a score, its *logit*; **softmax** turns the scores of an example into
# probabilities, $p_k = e^{s_k} / \sum_l e^{s_l}$. The **cross-entropy** is the mean of
# $-\log$ of the probability that the true class $c$ got:
#
# $$L = -\log p_c = \log \sum_k e^{s_k} - s_c .$$
#
# The second form is computed: it needs no logarithm of a tiny number, and with the largest score
# taken out first nothing overflows.


# %% tags=["keep"]
def logsumexp(s):
    """Return log(sum(exp(s))) of each row, shape (N, K) to (N,)."""
    largest = s.max(axis=1)
    return largest + np.log(np.exp(s - largest[:, None]).sum(axis=1))


def cross_entropy(s, c):
    """Return the mean cross-entropy of logits s (N, K) and true classes c (N,)."""
    return np.mean(logsumexp(s) - s[np.arange(len(c)), c])


def finite_differences(loss, at, step=1e-6):
    """Return the gradient of ``loss`` at an array: move one entry at a time and see."""
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        move = np.zeros_like(at)
        move[index] = step
        gradient[index] = (loss(at + move) - loss(at - move)) / (2 * step)
    return gradient


# %% [markdown]
# ### Exercise: derive its gradient
#
# For one example, differentiate $\log \sum_k e^{s_k} - s_c$ by $s_k$: once for a wrong class, once for
# the true one. Then write it for all, and remember the mean. The check compares it with finite
# differences, which need nothing but the loss.


# %% tags=["keep"] exercise="02.cross_entropy_gradient"
def cross_entropy_gradient(s, c):
    """Return the gradient of the mean cross-entropy by the logits, shape (N, K)."""
    ### BEGIN SOLUTION
    p = np.exp(s - logsumexp(s)[:, None])
    p[np.arange(len(c)), c] -= 1
    return p / len(c)
    ### END SOLUTION


ex.cross_entropy_gradient.check(cross_entropy_gradient)

# %% [markdown]
# Probability minus truth: a network that says .9 where the truth is 1 is pulled by .1, one that says
# .01 is pulled by .99. What if softmax is applied twice, by the last layer *and* by the loss?

# %% tags=["hide-input"]
from transfer_lib.taught.lesson_02 import cross_entropy_gradient

margin = np.linspace(-10, 12, 89)
logits = np.zeros((89, 10))
logits[:, 0] = margin
first = np.zeros(89, dtype=int)
p = np.exp(logits - logsumexp(logits)[:, None])
once, twice = (logsumexp(s) - s[:, 0] for s in (logits, p))
fig, ax = plots.figure(figsize=(7, 3.4))
ax.plot(margin, once, marker="", label="softmax once")
ax.plot(margin, twice, marker="", label="softmax twice")
ax.set(xlabel="Score of the true class, the nine others have 0", ylabel="Loss (no unit)")
ax.legend()
fig

# %%
ex.q_softmax.ask(...)

# %% [markdown]
# ## 6. Downhill, and the warm start
#
# A network has no formula for its minimum; one walks. Each step of **gradient descent** goes
# against the gradient, $w \leftarrow w - \eta \, L'(w)$, with the **learning rate** $\eta$.
# Somebody wrote it down in a hurry, for the loss of the new town:


# %%
def slope(w):
    """The derivative of the mean squared error of the new town."""
    return 2 * (w - new.mean())


def hurried(slope, start, rate, steps):
    path = [start]
    for _ in range(steps):
        path.append(start + rate * slope(start))
    return path


print([round(float(w), 1) for w in hurried(slope, 10.0, 0.1, 6)], f"should go to {new.mean():.1f}")

# %% [markdown]
# ### Exercise: mend it
#
# There are two faults.


# %% tags=["keep"] exercise="02.descend"
def descend(slope, start, rate, steps):
    """Return the list of all places of gradient descent: the start, then one per step."""
    ### BEGIN SOLUTION
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - rate * slope(path[-1]))
    return path
    ### END SOLUTION


ex.descend.check(descend)

# %%
from transfer_lib.taught.lesson_02 import descend

goal, starts = new.mean(), {"from zero": 0.0, "from the old town": old.mean()}
for name, start in starts.items():
    path = np.array(descend(slope, start, 0.1, 60))
    print(f"{name:18} within 0.1 minutes after {np.argmax(abs(path - goal) < 0.1)} steps,", end=" ")
    print(f"ends at {path[-1]:.3f}")

# %% [markdown]
# Each step multiplies the distance to the minimum by $1 - 2\eta$, here 0.8. Above $\eta = 1$ the walk
# runs away. A start at the source's solution, a **warm start**, begins nearer here. Since every step
# takes the same *share* of the way, halving the distance saves three steps here, not half of them. And
# the end is the same: the loss has one minimum. From a source that lies farther off than zero the walk
# takes more steps, and still arrives; that is a detour, not negative transfer. The networks of the
# next lessons have many minima, and few steps. There the start does decide where one ends.
#
# ## 7. Now they count: the three questions of the beginning

# %%
ex.q_lambda.ask(...)

# %%
ex.q_sum.ask(...)

# %%
ex.q_warm.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - $L_{total} = L_{shared} + \lambda L_{task}$ has its minimum between the two; λ moves it.
# - The best λ is neither end: it trades bias for variance, and grows with the target's labels.
# - In a sum the target has the weight $\lambda n_t / n_s$. Say which form you use.
# - The gradient of the cross-entropy is probability minus truth. Softmax belongs there once.
# - A warm start that lies nearer saves some steps, one that lies farther off costs some. On a loss with
#   one minimum the end is the same.
#
# **Next:** [lesson 03](03_digits.ipynb) puts the total loss into a network's training step.
# [Lesson 09](09_aligning_domains.ipynb) goes on with matrices.
#
# ## Sources
#
# - S. Ben-David et al. (2010), [A theory of learning from different
#   domains](https://doi.org/10.1007/s10994-009-5152-4)
# - P. Blanchard, D. J. Higham and N. J. Higham (2021), [Accurately computing the log-sum-exp and
#   softmax functions](https://doi.org/10.1093/imanum/draa038)
