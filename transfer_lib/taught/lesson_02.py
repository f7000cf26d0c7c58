"""Lesson 02, Two losses, one total: its cells tagged `keep`, built."""

import numpy as np

OLD_TOWN, NEW_TOWN, SPREAD = 20.0, 26.0, 6.0  # minutes: the two truths, and the spread of both


def deliveries(truth, n, rng):
    """Return the minutes of n deliveries around the truth."""
    return truth + SPREAD * rng.normal(size=n)


def total_loss(y, y_hat, z, z_hat, lam):
    """Return L_shared + lam * L_task; source arrays are (N,), target arrays (M,)."""
    shared = np.mean((y - y_hat) ** 2)
    task = np.mean((z - z_hat) ** 2)
    return shared + lam * task


def minimiser(m_s, m_t, lam):
    """Return the number w at which the total loss is smallest."""
    return (m_s + lam * m_t) / (1 + lam)


def extra_error(lam, delta, sigma, m):
    """Return squared bias plus variance of the promise, in minutes squared."""
    bias = delta / (1 + lam)
    variance = (lam / (1 + lam)) ** 2 * sigma**2 / m
    return bias**2 + variance


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


def cross_entropy_gradient(s, c):
    """Return the gradient of the mean cross-entropy by the logits, shape (N, K)."""
    p = np.exp(s - logsumexp(s)[:, None])
    p[np.arange(len(c)), c] -= 1
    return p / len(c)


def descend(slope, start, rate, steps):
    """Return the list of all places of gradient descent: the start, then one per step."""
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - rate * slope(path[-1]))
    return path
