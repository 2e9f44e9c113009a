"""Layers that use a tensor several times, or step by step, each with a list of mistakes that can be made in it."""

import numpy as np

from batik_scratch import nn


class Own(nn.Layer):
    """Parameters from N(0, 1/4) by `shapes(input_shape)`; forward keeps whatever it keeps in `self.kept`."""

    def __init__(self, mistake=""):
        super().__init__()
        self.mistake = mistake

    def create_params(self, input_shape, rng):
        return {key: 0.5 * rng.standard_normal(shape) for key, shape in self.shapes(input_shape).items()}

    def wrong(self, mistake):
        return self.mistake == mistake


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


class Tied(Own):
    """y = tanh(x W + b) W' + c"""

    def shapes(self, input_shape):
        return {"W": (input_shape[0], 3), "b": (3,), "c": input_shape}

    def forward(self, x, training=False, keep=None):
        self.x, self.h = x, np.tanh(x @ self.params["W"] + self.params["b"])
        return self.h @ self.params["W"].T + self.params["c"]

    def backward(self, dy, need_dx=True, need_grads=True):
        W = self.params["W"]
        da = (dy @ W) * (1 - self.h**2)
        encoder, decoder = self.x.T @ da, dy.T @ self.h
        kept = {"decoder missing": encoder, "encoder missing": decoder}.get(self.mistake, encoder + decoder)
        self.grads = {"W": kept, "b": da.sum(0), "c": dy.sum(0)}
        return da @ W.T


class Squared(Own):
    """y = x V V"""

    def shapes(self, input_shape):
        return {"V": (*input_shape, *input_shape)}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return x @ self.params["V"] @ self.params["V"]

    def backward(self, dy, need_dx=True, need_grads=True):
        V = self.params["V"]
        first, second = self.x.T @ (dy @ V.T), (self.x @ V).T @ dy
        found = {"first": first, "second": second, "doubled": 2 * second}
        self.grads = {"V": found.get(self.mistake, first + second)}
        return dy @ V.T @ V.T


class Branches(Own):
    """y = tanh(x K) M + x K S"""

    def infer_shape(self, input_shape):
        return (2,)

    def shapes(self, input_shape):
        return {"K": (input_shape[0], 4), "M": (4, 2), "S": (4, 2)}

    def forward(self, x, training=False, keep=None):
        P = self.params
        self.x, self.a = x, x @ P["K"]
        return np.tanh(self.a) @ P["M"] + self.a @ P["S"]

    def backward(self, dy, need_dx=True, need_grads=True):
        P, h = self.params, np.tanh(self.a)
        curved, straight = (dy @ P["M"].T) * (1 - h**2), dy @ P["S"].T
        into = {"straight missing": curved, "curved missing": straight}.get(self.mistake, curved + straight)
        self.grads = {"K": self.x.T @ into, "M": h.T @ dy, "S": self.a.T @ dy}
        return into @ P["K"].T


class Shortcut(Own):
    """y = relu(x A) B + x S"""

    def infer_shape(self, input_shape):
        return (3,)

    def shapes(self, input_shape):
        return {"A": (input_shape[0], 6), "B": (6, 3), "S": (input_shape[0], 3)}

    def forward(self, x, training=False, keep=None):
        P = self.params
        self.x, self.a = x, x @ P["A"]
        return np.maximum(self.a, 0) @ P["B"] + x @ P["S"]

    def backward(self, dy, need_dx=True, need_grads=True):
        P = self.params
        da = (dy @ P["B"].T) * (self.a > 0)
        self.grads = {"A": self.x.T @ da, "B": np.maximum(self.a, 0).T @ dy, "S": self.x.T @ dy}
        return da @ P["A"].T + (0 if self.wrong("shortcut missing") else dy @ P["S"].T)


class Quadratic(Own):
    """y_k = x' A_k x + c_k, one k after the other"""

    def infer_shape(self, input_shape):
        return (2,)

    def shapes(self, input_shape):
        return {"A": (2, *input_shape, *input_shape), "c": (2,)}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return np.stack([((x @ A) * x).sum(1) for A in self.params["A"]], 1) + self.params["c"]

    def backward(self, dy, need_dx=True, need_grads=True):
        x, dx = self.x, 0
        for k, A in enumerate(self.params["A"]):
            turn = {"A twice": A + A, "A' twice": 2 * A.T, "A alone": A, "A' alone": A.T}.get(self.mistake, A + A.T)
            dx = dx + dy[:, k, None] * (x @ turn.T)
        self.grads = {"A": np.stack([(x * dy[:, k, None]).T @ x for k in range(2)]), "c": dy.sum(0)}
        return dx


class Elman(Own):
    """h = tanh(x U + h V + b), from zero; y is all states, or the last one."""

    last = False

    def infer_shape(self, input_shape):
        return (4,) if self.last else (input_shape[0], 4)

    def shapes(self, input_shape):
        return {"U": (input_shape[1], 4), "V": (4, 4), "b": (4,)}

    def forward(self, x, training=False, keep=None):
        P, h = self.params, np.zeros((len(x), 4))
        self.x, self.states = x, [h]
        for t in range(x.shape[1]):
            self.states.append(h := np.tanh(x[:, t] @ P["U"] + h @ P["V"] + P["b"]))
        return h.copy() if self.last else np.stack(self.states[1:], 1)

    def backward(self, dy, need_dx=True, need_grads=True):
        P, x, h = self.params, self.x, self.states
        self.grads = {key: np.zeros_like(value) for key, value in P.items()}
        dx, carried = np.zeros_like(x), dy if self.last else np.zeros_like(h[0])
        for t in reversed(range(x.shape[1])):
            arriving = carried if self.last else carried + dy[:, t]
            da = arriving * (1 - h[t + 1] ** 2)
            if self.wrong("slope missing"):
                da = arriving
            self.grads["U"] += x[:, t].T @ da
            self.grads["V"] += h[t + 1 if self.wrong("same step") else t].T @ da
            self.grads["b"] += da.sum(0)
            dx[:, t] = da @ P["U"].T
            carried = da @ (P["V"] if self.wrong("not transposed") else P["V"].T)
            if self.wrong("slope not carried"):
                carried = arriving @ P["V"].T
        return dx


class LastOfElman(Elman):
    last = True


class Gated(Own):
    """z = sigmoid(x A + h B), g = tanh(x C + h D), h = z h + (1 - z) g; y is the last state."""

    def infer_shape(self, input_shape):
        return (3,)

    def shapes(self, input_shape):
        d = input_shape[1]
        return {"A": (d, 3), "B": (3, 3), "C": (d, 3), "D": (3, 3)}

    def forward(self, x, training=False, keep=None):
        P, h, self.tape, self.x = self.params, np.zeros((len(x), 3)), [], x
        for t in range(x.shape[1]):
            z, g = sigmoid(x[:, t] @ P["A"] + h @ P["B"]), np.tanh(x[:, t] @ P["C"] + h @ P["D"])
            self.tape.append((h, z, g))
            h = z * h + (1 - z) * g
        self.end = h
        return h.copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        P, x = self.params, self.x
        self.grads = {key: np.zeros_like(value) for key, value in P.items()}
        dx, dh, after = np.zeros_like(x), dy, self.end
        for t in reversed(range(x.shape[1])):
            h, z, g = self.tape[t]
            dz, dg = dh * (h - g) * z * (1 - z), dh * (1 - z) * (1 - g**2)
            used = after if self.wrong("same step") else h
            for key, source, d in (("A", x[:, t], dz), ("B", used, dz), ("C", x[:, t], dg), ("D", used, dg)):
                self.grads[key] += source.T @ d
            dx[:, t] = dz @ P["A"].T + dg @ P["C"].T
            direct = dh if self.wrong("gate not carried") else dh * z
            if self.wrong("path not carried"):
                direct = 0
            dh, after = direct + dz @ P["B"].T + dg @ P["D"].T, h
        return dx


class Attention(Own):
    """y = softmax(x Q (x K)' / sqrt(d)) x V"""

    def shapes(self, input_shape):
        return dict.fromkeys("QKV", (input_shape[1], input_shape[1]))

    def forward(self, x, training=False, keep=None):
        self.x, (q, k, v) = x, (x @ self.params[letter] for letter in "QKV")
        e = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(x.shape[2]))
        self.kept = q, k, v, e / e.sum(-1, keepdims=True)
        return self.kept[3] @ v

    def backward(self, dy, need_dx=True, need_grads=True):
        q, k, v, p = self.kept
        dp = dy @ v.swapaxes(1, 2)
        scores = p * (dp - (dp * p).sum(-1, keepdims=True)) / np.sqrt(self.x.shape[2])
        back = {"Q": scores @ k, "K": scores.swapaxes(1, 2) @ q, "V": p.swapaxes(1, 2) @ dy}
        self.grads = {letter: np.einsum("nti,nto->io", self.x, d) for letter, d in back.items()}
        if self.wrong("keys send nothing back"):
            back["K"] = 0 * back["K"]
        return sum(d @ self.params[letter].T for letter, d in back.items())


class Slopes(Own):
    """A slope for what is below zero: one number, or one to each channel."""

    def __init__(self, mistake="", one=False):
        super().__init__(mistake)
        self.one = one

    def shapes(self, input_shape):
        return {"slope": (1,) if self.one else input_shape[-1:]}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return np.maximum(x, 0) + self.params["slope"] * np.minimum(x, 0)

    def backward(self, dy, need_dx=True, need_grads=True):
        x = self.x
        below = {"above": x > 0, "small": x < -0.6, "shifted": (x < 1) & (x > -1)}.get(self.mistake, x < 0)
        each = (dy * x * below).reshape(-1, x.shape[-1]).sum(0)
        self.grads = {"slope": each.sum(keepdims=True) if self.one else each}
        return dy * np.where(x > 0, 1.0, self.params["slope"])


class GatedDense(Own):
    """y = relu(x W + b), the mask once for all"""

    def infer_shape(self, input_shape):
        return (5,)

    def shapes(self, input_shape):
        return {"W": (*input_shape, 5), "b": (5,)}

    def forward(self, x, training=False, keep=None):
        self.x, self.a = x, x @ self.params["W"] + self.params["b"]
        return self.a.clip(0)

    def backward(self, dy, need_dx=True, need_grads=True):
        da = np.where(self.a > 0, dy, 0)
        other = np.where(self.a > 0, 0, dy) if self.wrong("inverted") else da
        self.grads = {"W": self.x.T @ other, "b": da.sum(axis=0)}
        return da @ self.params["W"].T


class Rows(Own):
    """Rows of a table, by the size of each number: repeated where two numbers are near."""

    def infer_shape(self, input_shape):
        return (*input_shape, 3)

    def shapes(self, input_shape):
        return {"rows": (4, 3)}

    def forward(self, x, training=False, keep=None):
        self.x, self.index = x, np.clip(np.floor(x + 2), 0, 3).astype(int)
        return self.params["rows"][self.index] * x[..., None]

    def decisions(self):
        return [self.index]

    def backward(self, dy, need_dx=True, need_grads=True):
        found, share = np.zeros_like(self.params["rows"]), dy * self.x[..., None]
        if self.wrong("plus equals"):
            found[self.index] += share
        elif self.wrong("equals"):
            found[self.index] = share
        else:
            np.add.at(found, self.index, share)
        self.grads = {"rows": found}
        return (dy * self.params["rows"][self.index]).sum(-1)


class Curve(Own):
    """y = f(x), and dx = dy slope(x, y)"""

    def __init__(self, f, slope):
        super().__init__()
        self.f, self.slope = f, slope

    def shapes(self, input_shape):
        return {}

    def forward(self, x, training=False, keep=None):
        self.x, self.y = x, self.f(x)
        return self.y.copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy * self.slope(self.x, self.y)
