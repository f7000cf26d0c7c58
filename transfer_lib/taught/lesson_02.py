"""Lesson 02, Two losses, one total: its cells tagged `keep`, built."""

import numpy as np
import torch


def mse(y, predicted):
    """Return the mean squared error; both arguments have the shape (N,)."""
    return np.mean((y - predicted) ** 2)


def mse_gradient(y, predicted):
    """Return the derivative of the error by each prediction, shape (N,)."""
    return 2 / len(y) * (predicted - y)


def finite_differences(loss, at, step=1e-6):
    """Return the gradient of ``loss`` at an array, by central differences."""
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        move = np.zeros_like(at)
        move[index] = step
        gradient[index] = (loss(at + move) - loss(at - move)) / (2 * step)
    return gradient


def autograd(loss, at):
    """Return the gradient at an array of a loss that is written in torch."""
    at = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    loss(at).backward()
    return at.grad.numpy()


def weight_gradient(X, y, w):
    """Return the gradient of the mean squared error of ``X @ w`` by ``w``, shape (d,)."""
    return 2 / len(y) * X.T @ (X @ w - y)


def logsumexp(z):
    """Return log(sum(exp(z))) of each row, shape (N, K) to (N, 1)."""
    largest = z.max(axis=1, keepdims=True)
    return largest + np.log(np.exp(z - largest).sum(axis=1, keepdims=True))


def softmax(z):
    """Return the probabilities of each row, shape (N, K)."""
    return np.exp(z - logsumexp(z))


def cross_entropy(z, y):
    """Return the mean cross-entropy of logits ``z`` (N, K) and classes ``y`` (N,)."""
    return np.mean(logsumexp(z)[:, 0] - z[np.arange(len(y)), y])


def cross_entropy_gradient(z, y):
    """Return the gradient by the logits, shape (N, K)."""
    one_hot = np.eye(z.shape[1])[y]
    return (softmax(z) - one_hot) / len(y)


def total_loss(y, y_hat, z, z_hat, lam):
    """Return L_shared + lam * L_task; source arrays are (N,), target arrays (M,)."""
    return np.mean((y - y_hat) ** 2) + lam * np.mean((z - z_hat) ** 2)


def total_minimiser(X_s, y, X_t, z, lam):
    """Return the weights (d,) that minimise L_shared + lam * L_task."""
    A = X_s.T @ X_s / len(y) + lam * X_t.T @ X_t / len(z)
    b = X_s.T @ y / len(y) + lam * X_t.T @ z / len(z)
    return np.linalg.solve(A, b)


def sample(n, w, covariance, rng, noise=1.0):
    """Draw n examples with these weights: inputs (n, d), outputs (n,)."""
    X = rng.multivariate_normal(np.zeros(len(w)), covariance, size=n)
    return X, X @ w + noise * rng.normal(size=n)


def task_pair(rng, d=10, shift=0.3):
    """Return source and target weights, (d,) each, that differ by about ``shift`` per entry."""
    w_s = rng.normal(size=d)
    return w_s, w_s + shift * rng.normal(size=d)


def excess_error(n_target, lam_grid, rng, n_source=500, d=10):
    """Return the expected extra error on new target data for each lambda, one draw."""
    w_s, w_t = task_pair(rng, d)
    source = sample(n_source, w_s, np.eye(d), rng)
    target = sample(n_target, w_t, np.eye(d), rng)
    fits = [total_minimiser(*source, *target, lam) for lam in lam_grid]
    return [np.sum((w - w_t) ** 2) for w in fits]


def sum_minimiser(X_s, y, X_t, z, lam):
    """Return the weights (d,) that minimise the sums over source and target examples."""
    return np.linalg.solve(X_s.T @ X_s + lam * X_t.T @ X_t, X_s.T @ y + lam * X_t.T @ z)


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


def end_of_walk(X, y, start):
    """Return the minimum of the squared error that is nearest the start, shape (d,)."""
    return start + np.linalg.pinv(X) @ (y - X @ start)
