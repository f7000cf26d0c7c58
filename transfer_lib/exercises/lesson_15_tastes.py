"""Exercises of lesson 15 on tastes: half a step of factorisation, a mapping, a prior."""

from transfer_lib.practice import Wrong, array, call, close, exercise


def _problem(people=6, pieces=9, k=3):
    import numpy as np

    rng = np.random.default_rng(2)
    q = rng.normal(size=(pieces, k))
    seen = (rng.random((people, pieces)) < 0.5).astype(float)
    seen[1] = 0
    rest = rng.normal(size=(people, pieces))
    return rest, seen, q


def _solved(rest, seen, q, strength, weigh=None):
    import numpy as np

    p = np.zeros((len(rest), q.shape[1]))
    for u in range(len(rest)):
        known = q[seen[u] > 0]
        pull = strength if weigh is None else weigh(len(known))
        gram = known.T @ known + pull * np.eye(q.shape[1])
        p[u] = np.linalg.pinv(gram) @ known.T @ rest[u, seen[u] > 0]
    return p


def _matrix(value, shape, what):
    value = array(value, what)
    if value.shape == shape[::-1] and shape[0] != shape[1]:
        raise Wrong(f"Expected the shape {shape}; yours is {value.shape}: transposed.")
    if value.shape != shape:
        raise Wrong(f"Expected the shape {shape}; yours is {value.shape}.")
    return value


@exercise(
    "15.half",
    hints=[
        "Person by person: `known = q[seen[u] > 0]` are the factors of the pieces that person u "
        "has rated, `rest[u, seen[u] > 0]` the ratings.",
        "`known.T @ known + strength * np.eye(q.shape[1])` is the matrix in brackets.",
        "`np.linalg.solve(matrix, known.T @ rest[u, seen[u] > 0])` is p_u; put it in row u.",
    ],
)
def half(answer):
    """Return the people's factors of a ridge regression each on the pieces they have rated."""
    import numpy as np

    rest, seen, q = _problem()
    strength = 1.5
    found = _matrix(call(answer, rest, seen, q, strength), (6, 3), "the factors")
    right = _solved(rest, seen, q, strength)
    if close(found, right):
        return (
            "Fixed pieces give people, fixed people give pieces: each half is a plain regression."
        )
    everything = np.ones_like(seen)
    table = [
        (_solved(rest, everything, q, strength), "All ratings count, also those that nobody has "
         "given. Take the pieces with `seen[u] > 0`."),
        (_solved(rest * seen, everything, q, strength), "What has not been rated counts as 0. "
         "Leave it out of the matrix in brackets, too."),
        (_solved(rest, seen, q, 0.0), "`strength` is missing: who has rated two pieces gets any "
         "taste at all."),
        (_solved(rest, seen, q, 0, lambda n: strength * n), "`strength` is multiplied by the "
         "number of ratings. It is the same for all, so few ratings are pulled more."),
        (_solved(rest, seen, q, 2.0), "`strength` is always 2. Use the argument."),
        (rest * seen @ q, "The inverse of the matrix in brackets is missing: `np.linalg.solve`."),
        (-right, "The sign is turned."),
    ]  # fmt: skip
    for wrong, words in table:
        if close(found, wrong):
            raise Wrong(words)
    if found[1].any():
        raise Wrong("The second person has rated nothing and should have the factors 0.")
    raise Wrong(
        f"The first person's first factor is {right[0, 0]:.4f}; yours is {found[0, 0]:.4f}."
    )


@exercise(
    "15.mapping",
    hints=[
        "It is a ridge regression with several outputs: W = (XᵀX + strength · I)⁻¹ XᵀY.",
        "X is `phone` (people, k), Y is `tv` (people, k).",
        "`np.linalg.solve(phone.T @ phone + strength * np.eye(k), phone.T @ tv)`.",
    ],
)
def mapping(answer):
    """Return the matrix of a ridge regression from one set of factors to another."""
    import numpy as np

    rng = np.random.default_rng(3)
    phone = rng.normal(size=(40, 3))
    tv = phone @ rng.normal(size=(3, 3)) + 0.3 * rng.normal(size=(40, 3))
    found = _matrix(call(answer, phone, tv, 4.0), (3, 3), "the matrix")

    def ridge(x, y, strength):
        return np.linalg.solve(x.T @ x + strength * np.eye(3), x.T @ y)

    right = ridge(phone, tv, 4.0)
    if close(found, right):
        return "The people in both domains have told how much of a taste moves along."
    table = [
        (ridge(tv, phone, 4.0), "Turned round: this leads from the television to the phone."),
        (right.T, "This is W transposed: the prior is `phone @ W`."),
        (ridge(phone, tv, 0.0), "`strength` is missing."),
        (ridge(phone, tv, 5.0), "`strength` is always 5. Use the argument."),
        (ridge(phone, tv, 160.0), "The *mean* squared error was taken. Take the sum."),
        (ridge(phone, tv, 16.0), "`strength` is squared."),
        (phone.T @ tv, "The inverse is missing: `np.linalg.solve`."),
    ]
    for wrong, words in table:
        if close(found, wrong):
            raise Wrong(words)
    raise Wrong(f"The first number of W is {right[0, 0]:.4f}; yours is {found[0, 0]:.4f}.")


@exercise(
    "15.towards",
    hints=[
        "Write p = prior + d. What is penalised is d, and d has to explain what the prior leaves.",
        "The prior says `prior @ q.T` of each piece. Subtract it from `rest`, and `half` finds d.",
        "`return prior + half(rest - prior @ q.T, seen, q, strength)`.",
    ],
)
def towards(answer):
    """Return the factors of a ridge regression that pulls to a prior."""
    import numpy as np

    rest, seen, q = _problem()
    prior = np.random.default_rng(4).normal(size=(6, 3))
    strength = 1.5
    found = _matrix(call(answer, prior, rest, seen, q, strength), (6, 3), "the factors")
    right = prior + _solved(rest - prior @ q.T, seen, q, strength)
    if close(found, right):
        return "Without a rating it is the prior; the more ratings, the less it matters."
    alone = _solved(rest, seen, q, strength)
    table = [
        (alone, "The prior is not used."),
        (prior, "This is the prior. The ratings are not used."),
        (prior + alone, "The ratings are explained twice: subtract from `rest` what the prior "
         "already says, `prior @ q.T`."),
        (right - prior, "This is only the step away from the prior. Add the prior."),
        ((prior + alone) / 2, "This is the middle of both. With no rating it should be the prior, "
         "with many the ratings should decide."),
        (prior + _solved(rest - prior @ q.T, seen, q, 2.0), "`strength` is always 2. Pass it on "
         "to `half`."),
        (prior + _solved(rest - prior @ q.T, np.ones_like(seen), q, strength), "All ratings "
         "count, also those that nobody has given. Pass `seen` on."),
        (prior + _solved(prior @ q.T - rest, seen, q, strength), "The sign is turned: subtract "
         "the prior from `rest`."),
    ]  # fmt: skip
    for wrong, words in table:
        if close(found, wrong):
            raise Wrong(words)
    if not close(found[1], prior[1]):
        raise Wrong("The second person has rated nothing and should have the prior's factors.")
    raise Wrong(
        f"The first person's first factor is {right[0, 0]:.4f}; yours is {found[0, 0]:.4f}."
    )
