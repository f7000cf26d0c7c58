"""Lesson 15, Recommenders across domains: its cells tagged `keep`, built."""

from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pandas as pd


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


def ndcg(gains, scores, n=10):
    """Return the discounted gain of the n best-scored pieces, over the best possible."""
    weights = 1 / np.log2(np.arange(2, n + 2))
    listed = gains[np.argsort(-scores)[:n]]
    best = np.sort(gains)[::-1][:n]
    return (weights[: len(listed)] @ listed) / (weights[: len(best)] @ best)


def recall(liked, scores, n=10):
    """Return the share of the liked pieces that are among the n best-scored."""
    return liked[np.argsort(-scores)[:n]].sum() / liked.sum()


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


def half(rest, seen, q, strength=2.0):
    """Return the people's factors (people, k) that fit best, given the pieces' factors q."""
    p = np.zeros((len(rest), q.shape[1]))
    for u in range(len(rest)):
        known = q[seen[u] > 0]
        gram = known.T @ known + strength * np.eye(q.shape[1])
        p[u] = np.linalg.solve(gram, known.T @ rest[u, seen[u] > 0])
    return p


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


def mapping(phone, tv, strength=5.0):
    """Return the ridge regression from factors on the phone to those on the television."""
    gram = phone.T @ phone + strength * np.eye(phone.shape[1])
    return np.linalg.solve(gram, phone.T @ tv)


def towards(prior, rest, seen, q, strength=2.0):
    """Return factors (people, k) that fit the ratings seen and stay near the prior (people, k)."""
    return prior + half(rest - prior @ q.T, seen, q, strength)


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


def judged(world, found, measure=ndcg):
    """Return for each way its measure by count, on the pieces that no newcomer has rated."""
    truth, curves = world.tv[-world.new :], {}
    for given, scores in found.items():
        unseen = known(world, given)[-world.new :] == 0
        for name, one in scores.items():
            listed = np.where(unseen, one, -np.inf)  # who has rated a piece does not need it
            curves.setdefault(name, {})[given] = lists(measure, np.where(unseen, truth, -9), listed)
    return curves


def lectures():
    """Return the ratings: student, lecturer, service (0 or 1), rating."""
    return pd.read_csv(files("transfer_lib") / "data/files/lectures.csv.gz")


def shrunk(keys, values, n, prior, strength=5):
    """Return one mean for each of the keys 0 to n - 1; keys and values have the same length."""
    total, count = np.bincount(keys, values, n), np.bincount(keys, minlength=n)
    return (total + strength * prior) / (count + strength)


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
