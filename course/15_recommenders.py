# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lessons 01 and 02" engine="none"
# # 15. Recommenders across domains
#
# Somebody has used your service on the phone for a year, and now buys a television. What does the phone know? And when
# is it better not to ask? Afterwards you can
#
# - measure a list of recommendations, and put it beside what needs no learning;
# - factorise ratings, and give a newcomer a taste from a handful of them;
# - carry tastes from one device to another, without harm where they differ;
# - say of real ratings what can be carried: what maps, and what that can change.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("15")
ex = course.exercises

# %% [markdown]
# Three questions first. Answer from the gut: they come back at the end, and then they count.

# %%
ex.before("q_pool", "q_constant", "q_maps")

# %% tags=["keep"]
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from transfer_lib import plots
from transfer_lib.claims import claim

# %% [markdown]
# ## 1. One person, two devices
#
# These ratings were *made for the course*, so that we know the truth. 400 people rate 150 pieces on the phone and 150
# others on the television, a fifth of all. A person's taste is four numbers; on the television `shared` of it is the
# same, the rest is new. 300 people have rated on both. 100 are new to the television.


# %% tags=["keep", "hide-input"]
@dataclass
class Devices:
    """Ratings on two devices, made for the course; the last 100 people are new to the second."""

    phone: np.ndarray  # (people, pieces), true ratings
    tv: np.ndarray
    seen_phone: np.ndarray  # 1 where a rating is known
    seen_tv: np.ndarray
    new: int = 100


def make(shared, seed, people=400, pieces=150, tastes=4):
    """Return two devices; `shared` is the correlation of a person's tastes on them."""
    rng = np.random.default_rng(seed)
    taste, own = rng.normal(size=(2, people, tastes))
    tables, seen = [], []
    for p in (taste, shared * taste + np.sqrt(1 - shared**2) * own):
        q, liked = rng.normal(size=(pieces, tastes)), 0.7 * rng.normal(size=pieces)
        noise = 0.5 * rng.normal(size=(people, pieces))
        tables.append(p @ q.T / np.sqrt(tastes) + liked + noise)
        seen.append((rng.random((people, pieces)) < 0.2).astype(float))
    seen[1][-100:] = 0
    return Devices(*tables, *seen)


# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_15 import lists, ndcg, pooled_lists

world = make(shared=1.0, seed=course.seed)
truth = world.tv[-world.new :]
popular = np.tile((world.tv * world.seen_tv).sum(axis=0) / world.seen_tv.sum(axis=0), (100, 1))
print(f"best-liked pieces for everybody: NDCG@10 {lists(ndcg, truth, popular):.2f}")
print(f"what the phone knows: NDCG@10 {lists(ndcg, truth, pooled_lists(world)):.2f}")

# %% [markdown]
# Not one rating on the television, and the list is nearly perfect. (1 would be the ten pieces that each likes best, in
# the right order.) It is so good because here the whole taste moves along. Sections 2 to 4 take it apart; section 5
# asks what happens when it does not.
#
# ## 2. How good is a list?
#
# A list has ten places. **Recall@10** asks which share of what somebody likes is on it. **NDCG@10** (normalised
# discounted cumulative gain) also asks where: a piece's gain is divided by $\log_2(\text{place} + 1)$, so the first
# counts fully and the tenth less than a third; the sum is divided by that of the best possible list.
#
# ### Exercise: NDCG
#
# `gains` are one person's (larger is better, none below 0), `scores` what the list is sorted by.


# %% tags=["keep"] exercise="15.ndcg"
def ndcg(gains, scores, n=10):
    """Return the discounted gain of the n best-scored pieces, over the best possible."""
    ### BEGIN SOLUTION
    weights = 1 / np.log2(np.arange(2, n + 2))
    listed = gains[np.argsort(-scores)[:n]]
    best = np.sort(gains)[::-1][:n]
    return (weights[: len(listed)] @ listed) / (weights[: len(best)] @ best)
    ### END SOLUTION


ex.ndcg.check(ndcg)

# %% [markdown]
# ### Exercise: recall
#
# `liked` says of each piece whether the person likes it. (The lesson's helper `lists` takes one of these two measures:
# it hands the lesson's own `recall`, which is imported below, the best tenth of the pieces as liked, and any other
# measure the gains.)


# %% tags=["keep"] exercise="15.recall"
def recall(liked, scores, n=10):
    """Return the share of the liked pieces that are among the n best-scored."""
    ### BEGIN SOLUTION
    return liked[np.argsort(-scores)[:n]].sum() / liked.sum()
    ### END SOLUTION


ex.recall.check(recall)

# %%
from transfer_lib.taught.lesson_15 import ndcg, recall


# %% tags=["keep", "hide-input"]
def known(world, given, seed=0):
    """Return what is seen on the television if each newcomer has rated `given` pieces there."""
    seen, rng = world.seen_tv.copy(), np.random.default_rng(seed)
    for u in range(len(seen) - world.new, len(seen)):
        seen[u, rng.permutation(seen.shape[1])[:given]] = 1
    return seen


def lists(measure, truth, scores):
    """Return the mean over people; gains are 15, 7, 3, 1, 0 for the best fifth and so on down."""
    found = []
    for true, scored in zip(truth, scores, strict=True):
        place = true.argsort().argsort() / len(true)
        gains = 2.0 ** np.floor(5 * place) - 1
        found.append(measure(place >= 0.9 if measure is recall else gains, scored))
    return float(np.mean(found))


# %% [markdown]
# ## 3. Tastes
#
# A rating is what everybody thinks of a piece, plus what this person's taste makes of it:
#
# $$r_{um} \approx b_m + p_u \cdot q_m.$$
#
# $r_{um}$ is the rating of piece $m$ by person $u$, $b_m$ the mean of the piece. $p_u$ and $q_m$ hold a few numbers
# each, the **factors**; $m \in u$ are the pieces that $u$ has rated. With all $q$ known, each person's $p_u$ is a
# small ridge regression on what that person has rated:
#
# $$p_u = \Big(\sum_{m \in u} q_m q_m^\top + \lambda I\Big)^{-1} \sum_{m \in u} (r_{um} - b_m)\, q_m.$$
#
# ### Exercise: half a step
#
# `rest` holds $r_{um} - b_m$ (people, pieces), `seen` 1 where a rating is known and else 0, `q` the pieces' factors.


# %% tags=["keep"] exercise="15.half"
def half(rest, seen, q, strength=2.0):
    """Return the people's factors (people, k) that fit best, given the pieces' factors q."""
    ### BEGIN SOLUTION
    p = np.zeros((len(rest), q.shape[1]))
    for u in range(len(rest)):
        known = q[seen[u] > 0]
        gram = known.T @ known + strength * np.eye(q.shape[1])
        p[u] = np.linalg.solve(gram, known.T @ rest[u, seen[u] > 0])
    return p
    ### END SOLUTION


ex.half.check(half)

# %%
from transfer_lib.taught.lesson_15 import half


# %% tags=["keep"]
def factorise(ratings, seen, k=4, rounds=15, seed=0):
    """Return the pieces' means, the people's factors and the pieces' factors, in turns."""
    means = (ratings * seen).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    rest = (ratings - means) * seen
    q = 0.3 * np.random.default_rng(seed).normal(size=(ratings.shape[1], k))
    for _ in range(rounds):
        p = half(rest, seen, q)
        q = half(rest.T, seen.T, p)
    return means, p, q


def pooled_lists(world, given=0, k=4):
    """Return newcomers' scores when phone and television are one table with one taste each."""
    seen = known(world, given)
    both = np.hstack([world.phone, world.tv])
    means, p, q = factorise(both, np.hstack([world.seen_phone, seen]), k)
    return (means + p[-world.new :] @ q.T)[:, world.phone.shape[1] :]


# %% [markdown]
# How many factors? The 300 who have rated on the television hide a fifth of their ratings for this. Predict the best
# number.

# %% tags=["nbval-ignore-output"]
old, errors = slice(0, 300), {}
hidden = (np.random.default_rng(1).random(world.tv[old].shape) < 0.2) * world.seen_tv[old]
for k in tqdm((1, 2, 3, 4, 6, 10, 20)):
    means, p, q = factorise(world.tv[old], world.seen_tv[old] - hidden, k)
    wrong = (world.tv[old] - means - p @ q.T)[hidden > 0]
    errors[f"{k} factor{'s' * (k > 1)}"] = float(np.sqrt(np.mean(wrong**2)))
plots.bars(errors, "Error on hidden ratings (stars)", title="How many numbers is a taste?")

# %% [markdown]
# ## 4. From one device to the other
#
# On the phone, a person has factors. On the television the 300 have others, of another table: their first number
# means something else. So a **mapping** is learned from people who are in both, a small ridge regression, and it
# gives the newcomer a *prior*: the taste to be expected on the television before a single rating. A mapping needs
# people who are in both: that is the *relation*, the fourth way of Pan and Yang; the factors it carries are
# parameters (lesson 08).
#
# ### Exercise: the mapping
#
# Return the matrix $W$ (k, k) for which `phone @ W` comes nearest to `tv`, with `strength` times the sum of its squares
# added to the squared error.


# %% tags=["keep"] exercise="15.mapping"
def mapping(phone, tv, strength=5.0):
    """Return the ridge regression from factors on the phone to those on the television."""
    ### BEGIN SOLUTION
    gram = phone.T @ phone + strength * np.eye(phone.shape[1])
    return np.linalg.solve(gram, phone.T @ tv)
    ### END SOLUTION


ex.mapping.check(mapping)

# %% [markdown]
# ### Exercise: towards a prior
#
# Then come the first ratings. `half` pulls a taste to zero; a newcomer's shall be pulled to the prior instead. Its
# distance from the prior is what is penalised. You may call `half`: what has to be subtracted from `rest` first?


# %% tags=["keep"] exercise="15.towards"
def towards(prior, rest, seen, q, strength=2.0):
    """Return factors (people, k) that fit the ratings seen and stay near the prior (people, k)."""
    ### BEGIN SOLUTION
    return prior + half(rest - prior @ q.T, seen, q, strength)
    ### END SOLUTION


ex.towards.check(towards)

# %%
from transfer_lib.taught.lesson_15 import mapping, towards

# %% [markdown]
# Without a rating the prior decides, with twenty the ratings do. Four ways to serve the newcomers:
#
# - **liked by all**: the same list for everybody;
# - **television alone**: their own few ratings there;
# - **pooled**: both devices are one table, and each person has one taste;
# - **mapped**: the phone gives the prior.


# %% tags=["keep"]
def ways(world, counts=(0, 1, 2, 5, 10, 20)):
    """Return for each way the newcomers' scores, by how many pieces they have rated."""
    old, found = slice(0, len(world.tv) - world.new), {}
    means, on_tv, q = factorise(world.tv[old], world.seen_tv[old])
    _, on_phone, _ = factorise(world.phone, world.seen_phone)
    prior = on_phone[-world.new :] @ mapping(on_phone[old], on_tv)
    rest = (world.tv - means)[-world.new :]
    for given in counts:
        seen = known(world, given)[-world.new :]
        found[given] = {
            "liked by all": np.tile(means, (world.new, 1)),
            "television alone": means + half(rest, seen, q) @ q.T,
            "pooled": pooled_lists(world, given),
            "mapped": means + towards(prior, rest, seen, q) @ q.T,
        }
    return found


# %% tags=["keep", "hide-input"]
def judged(world, found, measure=ndcg):
    """Return for each way its measure by count, on the pieces that no newcomer has rated."""
    truth, curves = world.tv[-world.new :], {}
    for given, scores in found.items():
        unseen = known(world, given)[-world.new :] == 0
        for name, one in scores.items():
            listed = np.where(unseen, one, -np.inf)  # who has rated a piece does not need it
            curves.setdefault(name, {})[given] = lists(measure, np.where(unseen, truth, -9), listed)
    return curves


# %% [markdown]
# ## 5. And if the taste does not move along?
#
# Predict before you move the slider: at which share does *pooled* fall below the list for everybody? And *mapped*?

# %% tags=["nbval-ignore-output"]
shares = (0.0, 0.25, 0.5, 0.75, 1.0)
made = {share: make(share, course.seed) for share in shares}
curves = {share: judged(one, ways(one)) for share, one in tqdm(made.items())}


# %% tags=["hide-input", "nbval-ignore-output"]
def draw(shared):
    """Draw NDCG against the ratings that newcomers have given."""
    fig, ax = plots.figure(figsize=(7, 3.8))
    for name, values in curves[shared].items():
        ax.plot(range(len(values)), list(values.values()), label=name)
    ax.set_xticks(range(len(values)), list(values))
    ax.set(xlabel="Ratings of a newcomer on the television", ylabel="NDCG@10", ylim=(0.2, 1))
    ax.set_title(f"{shared:.0%} of the taste moves along")
    ax.legend(loc="lower right")
    return fig


plots.interactive(draw, shared={f"{share:.0%}": share for share in (0.5, 0.0, 0.25, 0.75, 1.0)})

# %% tags=["hide-input"]
for name in ("shared-all", "shared-half", "pool-harms", "map-safe", "pool-whole", "late", "recall"):
    claim(f"15.{name}")

# %% [markdown]
# Pooling believes that a taste is one. Where that holds, nothing is better; where it does not, each phone rating pulls
# the newcomer the wrong way, and twenty ratings on the television do not make up for it: **negative transfer**. The
# mapping has *measured* on the 300 how much moves along. If nothing does, $W$ is nearly zero, and so is the prior.
#
# ## 6. Real ratings
#
# At ETH Zurich 2,972 students rated 1,128 lecturers with 1 to 5 points, 73,421 times
# ([lme4's](https://doi.org/10.18637/jss.v067.i01) `InstEval`, anonymous). Some lectures are for the lecturer's own
# department, some are a *service* for another one: two domains. Students are in both, lecturers too. Which of the two
# could be a bridge? A point is a lecturer, or a student, with ten ratings in each domain.


# %% tags=["keep"]
def lectures():
    """Return the ratings: student, lecturer, service (0 or 1), rating."""
    return pd.read_csv(files("transfer_lib") / "data/files/lectures.csv.gz")


# %% tags=["hide-input", "nbval-ignore-output"]
ratings = lectures()
fig, axes = plots.figure(ncols=2, figsize=(9, 3.8))
for ax, who in zip(axes, ("lecturer", "student")):
    means = ratings.groupby([who, "service"])["rating"].agg(["mean", "size"]).unstack()
    means = means[(means["size"] >= 10).all(axis=1)]["mean"]
    ax.scatter(means[0], means[1], s=8, alpha=0.5)
    ax.set(
        xlabel="Mean rating, own department",
        ylabel="Mean rating, service",
        xlim=(1, 5),
        ylim=(1, 5),
    )
    ax.set_title(f"{len(means)} {who}s, correlation {means.corr().iloc[0, 1]:.2f}")
fig

# %% [markdown]
# ### Exercise: a shrunken mean
#
# A mean of two ratings says little. So $\lambda$ imagined ratings are added to it, all equal to a prior: $n$ ratings
# with the sum $s$ give $(s + \lambda \cdot \text{prior}) / (n + \lambda)$. The prior is one number, or one for each
# key.


# %% tags=["keep"] exercise="15.shrunk"
def shrunk(keys, values, n, prior, strength=5):
    """Return one mean for each of the keys 0 to n - 1; keys and values have the same length."""
    ### BEGIN SOLUTION
    total, count = np.bincount(keys, values, n), np.bincount(keys, minlength=n)
    return (total + strength * prior) / (count + strength)
    ### END SOLUTION


ex.shrunk.check(shrunk)

# %%
from transfer_lib.taught.lesson_15 import shrunk

# %% [markdown]
# Three tenths of the lecturers who are in both domains shall be new to the service, with 0 to 20 ratings there. The
# prior of a lecturer is the mean of all, or what the own department says: the **lecturer** is the bridge. Or the
# **student** is: to each rating we add by how much this student's ratings are above the mean in the own department.
# Predict: which bridge lowers the error (the root mean squared error, RMSE), and which improves the lists?


# %% tags=["keep", "hide-input"]
def service(ratings, seed, counts=(0, 1, 2, 5, 10, 20)):
    """Return RMSE and NDCG@10 in the service, by number of ratings of a new lecturer."""
    rng = np.random.default_rng(seed)
    own, target = (ratings[ratings["service"] == i] for i in (0, 1))
    both = np.intersect1d(own["lecturer"].unique(), target["lecturer"].unique())
    is_new = target["lecturer"].isin(rng.permutation(both)[: 3 * len(both) // 10])
    known, rows = target[~is_new], target[is_new].sample(frac=1, random_state=seed)
    mean, own_mean = known["rating"].mean(), own["rating"].mean()
    n, students = ratings["lecturer"].max() + 1, ratings["student"].max() + 1
    there = shrunk(own["lecturer"], own["rating"], n, own_mean) - own_mean
    kind = shrunk(own["student"], own["rating"] - own_mean - there[own["lecturer"]], students, 0)
    left = rows[rows.groupby("lecturer").cumcount() >= max(counts)]
    found = {}
    for count in counts:
        few = rows[rows.groupby("lecturer").cumcount() < count]
        alone = shrunk(few["lecturer"], few["rating"], n, mean)
        bridge = shrunk(few["lecturer"], few["rating"], n, mean + 0.8 * there, 8)
        said = {
            "mean of all": np.full(len(left), mean),
            "service alone": alone[left["lecturer"]],
            "student": alone[left["lecturer"]] + kind[left["student"]],
            "lecturer": bridge[left["lecturer"]],
            "lecturer and student": bridge[left["lecturer"]] + kind[left["student"]],
        }
        found[count] = {name: measured(left, one, seed) for name, one in said.items()}
    return found


def measured(left, said, seed):
    """Return the RMSE, and the mean NDCG@10 of students with at least five ratings left."""
    error = np.sqrt(np.mean((left["rating"] - said) ** 2))
    lots = said + 1e-6 * np.random.default_rng(seed).random(len(left))  # ties by lot
    table = pd.DataFrame(
        {"student": left["student"], "gain": 2.0 ** left["rating"] - 1, "score": lots}
    )
    groups = [g for _, g in table.groupby("student") if len(g) >= 5]
    return error, np.mean([ndcg(g["gain"].to_numpy(), g["score"].to_numpy()) for g in groups])


# %% tags=["nbval-ignore-output"]
draws = [service(ratings, course.seed + i) for i in tqdm(range(5 if course.quick else 25))]
first = pd.DataFrame({name: np.mean([d[0][name] for d in draws], axis=0) for name in draws[0][0]}).T
first.columns = ["RMSE", "NDCG@10"]
first.round(3)

# %% tags=["hide-input"]
for name in ("lecturer-rmse", "lecturer-ndcg", "student-rmse", "student-ndcg"):
    claim(f"15.{name}")
for name in ("alone-20", "popular", "factors"):
    claim(f"15.{name}")


# %% [markdown]
# No rating in the service yet. Both bridges lower the error. But only one changes the list of a student: what a
# *student* adds is the same for all lecturers, and a constant changes no order. What maps decides what can be carried:
# of people in common, a recommender needs their *taste*, not their kindness. And of taste there is hardly any here:
# factors of lecturers and students lower the error by less than a thousandth. Nor is the most rated lecturer the best
# liked; as a list, popularity is far below the means.
#
# And with some ratings? Means and the range of the draws:

# %% tags=["hide-input", "nbval-ignore-output"]
table = {
    name: {count: [d[count][name][1] for d in draws] for count in draws[0]}
    for name in ("service alone", "lecturer")
}
fig, ax = plots.figure(figsize=(7, 3.4))
for name, by_count in table.items():
    ax.plot(range(len(by_count)), [np.mean(v) for v in by_count.values()], label=name)
    ax.fill_between(
        range(len(by_count)),
        *np.transpose([(min(v), max(v)) for v in by_count.values()]),
        alpha=0.2,
    )
ax.set_xticks(range(len(by_count)), list(by_count))
ax.set(xlabel="Ratings of a new lecturer in the service", ylabel="NDCG@10")
ax.legend(loc="lower right")
fig

# %% [markdown]
# ## 7. Now they count: the three questions of the beginning, and one more

# %%
ex.q_pool.ask(...)

# %%
ex.q_constant.ask(...)

# %%
ex.q_maps.ask(...)

# %%
ex.q_made.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - Without a rating, the list for everybody is the baseline; transfer has to beat it.
# - One taste for two devices is best where it is true, and harms where it is not.
# - A mapping learned from people in both gives a prior, and ratings take over from it.
# - What maps decides: a constant per person lowers the error and changes no list; lecturers in common change it.
#
# **Next:** [a project of your own](16_capstone.ipynb).
#
# ## Sources
#
# - S. Pan and Q. Yang (2010), [A survey on transfer learning](https://doi.org/10.1109/TKDE.2009.191)
# - Y. Koren, R. Bell and C. Volinsky (2009), [Matrix factorization techniques for recommender systems](https://doi.org/10.1109/MC.2009.263)
# - A. Singh and G. Gordon (2008), [Relational learning via collective matrix factorization](https://doi.org/10.1145/1401890.1401969)
# - T. Man et al. (2017), [Cross-domain recommendation: an embedding and mapping approach](https://doi.org/10.24963/ijcai.2017/343)
# - D. Bates et al. (2015), [Fitting linear mixed-effects models using lme4](https://doi.org/10.18637/jss.v067.i01), with the ratings
