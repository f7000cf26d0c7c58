"""What lesson 15 says about recommenders: on ratings made for the course, and on real ones.

Strengths of pulling were set on seeds 0 to 2, bounds on 0 to 4. NDCG and recall are given in
points, from 0 to 100; errors (RMSE) as a change in percent. Each seed makes the two devices anew,
and draws other lecturers who are new to the service, in five draws.
"""

import numpy as np

from transfer_lib.taught import lesson_15 as lesson

CLAIMS = {
    "15.shared-all": ("The whole taste moves, no rating: mapped over one list.", ">= 12 points"),
    "15.shared-half": ("Half moves, no rating: mapped over one list.", ">= 2 points"),
    "15.pool-harms": ("Nothing moves, no rating: pooled against one list.", "<= -5 points"),
    "15.map-safe": ("Nothing moves, no rating: mapped against one list.", "-4 .. 3 points"),
    "15.pool-whole": ("The whole taste moves, 5 ratings: pooled over mapped.", ">= -1 points"),
    "15.late": ("Half moves, 20 ratings: mapped against television alone.", "-2 .. 2 points"),
    "15.recall": ("The whole taste moves: recall@10, mapped over one list.", ">= 15 points"),
    "15.lecturer-rmse": ("Real, no rating: the lecturer as bridge, error.", "<= -0.5 %"),
    "15.lecturer-ndcg": ("Real, no rating: the lecturer as bridge, NDCG@10.", ">= 2 points"),
    "15.student-rmse": ("Real, no rating: the student as bridge, error.", "<= -0.3 %"),
    "15.student-ndcg": ("Real, no rating: the student as bridge, NDCG@10.", "0 .. 0 points"),
    "15.alone-20": ("Real, 20 ratings: the lecturer as bridge, NDCG@10.", "-3 .. 3 points"),
    "15.popular": ("Real, known lecturers: means over the most rated.", ">= 1 points"),
    "15.factors": ("Real: ten factors beside the means of both, error.", "-1 .. 1 %"),
}


def measure(seed):
    """Return the figures for one seed."""
    return devices(seed) | bridges(seed) | known(seed)


def devices(seed):
    """Return what the phone is worth on the television, by how much of a taste moves along."""
    worlds = {share: lesson.make(share, 100 + seed) for share in (0.0, 0.5, 1.0)}
    counts = {0.0: (0,), 0.5: (0, 20), 1.0: (0, 5)}
    lists = {share: lesson.ways(world, counts[share]) for share, world in worlds.items()}
    at = {share: lesson.judged(worlds[share], found) for share, found in lists.items()}
    whole = lesson.judged(worlds[1.0], {0: lists[1.0][0]}, lesson.recall)

    def gain(share, count, way, over):
        return 100 * (at[share][way][count] - at[share][over][count])

    return {
        "15.shared-all": gain(1.0, 0, "mapped", "liked by all"),
        "15.shared-half": gain(0.5, 0, "mapped", "liked by all"),
        "15.pool-harms": gain(0.0, 0, "pooled", "liked by all"),
        "15.map-safe": gain(0.0, 0, "mapped", "liked by all"),
        "15.pool-whole": gain(1.0, 5, "pooled", "mapped"),
        "15.late": gain(0.5, 20, "mapped", "television alone"),
        "15.recall": 100 * (whole["mapped"][0] - whole["liked by all"][0]),
    }


def bridges(seed, draws=5):
    """Return what lecturers and students carry into the service, means of five draws."""
    ratings = lesson.lectures()
    made = [lesson.service(ratings, draws * seed + i, (0, 20)) for i in range(draws)]

    def mean(count, name):
        return np.mean([draw[count][name] for draw in made], axis=0)

    alone, late = mean(0, "service alone"), mean(20, "service alone")
    return {
        "15.lecturer-rmse": 100 * (mean(0, "lecturer")[0] / alone[0] - 1),
        "15.lecturer-ndcg": 100 * (mean(0, "lecturer")[1] - alone[1]),
        "15.student-rmse": 100 * (mean(0, "student")[0] / alone[0] - 1),
        "15.student-ndcg": 100 * (mean(0, "student")[1] - alone[1]),
        "15.alone-20": 100 * (mean(20, "lecturer")[1] - late[1]),
    }


def known(seed, k=10, strength=20.0, rounds=5):
    """Return how popularity and factors compare with means, on a fifth of all ratings."""
    ratings = lesson.lectures()
    rng = np.random.default_rng(seed)
    hidden = rng.random(len(ratings)) < 0.2
    seen, left = ratings[~hidden], ratings[hidden]
    students, lecturers = ratings["student"].max() + 1, ratings["lecturer"].max() + 1
    mean = seen["rating"].mean()
    liked = lesson.shrunk(seen["lecturer"], seen["rating"], lecturers, mean)
    kind = lesson.shrunk(seen["student"], seen["rating"] - liked[seen["lecturer"]], students, 0)
    rest, mask = np.zeros((2, students, lecturers))
    place = seen["student"], seen["lecturer"]
    rest[place] = seen["rating"] - liked[seen["lecturer"]] - kind[seen["student"]]
    mask[place] = 1
    q = 0.1 * rng.normal(size=(lecturers, k))
    for _ in range(rounds):
        p = lesson.half(rest, mask, q, strength)
        q = lesson.half(rest.T, mask.T, p, strength)
    means = liked[left["lecturer"]] + kind[left["student"]]
    taste = (p[left["student"]] * q[left["lecturer"]]).sum(axis=1)
    often = np.bincount(seen["lecturer"], minlength=lecturers)[left["lecturer"]].astype(float)
    by_mean, by_count = (lesson.measured(left, one, seed)[1] for one in (means, often))
    errors = [lesson.measured(left, one, seed)[0] for one in (means, means + taste)]
    return {
        "15.popular": 100 * (by_mean - by_count),
        "15.factors": 100 * (errors[1] / errors[0] - 1),
    }
