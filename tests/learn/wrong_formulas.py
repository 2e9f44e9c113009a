"""Formulas with a known mistake: the shipped solution with a piece replaced, the part, words of that mistake alone."""

ADAM_STEP = "w -= alpha * m / (np.sqrt(v) + self.epsilon)"
BETTER_M, BETTER_V = "m += (g - m) * (1 - self.beta_1)", "v += (g * g - v) * (1 - self.beta_2)"
ALPHA = "alpha = self.learning_rate * np.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)"
LOSS, LOSS_GRADIENT = "-log_p[rows, y].mean()", "dlogits / len(y)"
P, SHIFTED = "p = powers / powers.sum(axis=1, keepdims=True)", "np.exp(x - x.max(axis=1, keepdims=True))"
GAP = "x.mean(axis=(1, 2))"
SEED = "dy[np.arange(len(images)), classes] = 1"
PROBABILITIES = "p = np.exp(y - y.max(1, keepdims=True)); p /= p.sum(1, keepdims=True)"
ONE = "np.eye(3)[classes]"


def rows(name, part, old, replies):
    return [(name, old, new, part, reply) for new, reply in replies]


ADAM = [
    *rows("adam", "step", ADAM_STEP, [
        ("w -= self.learning_rate * m / (1 - self.beta_1**t) / (np.sqrt(v) + self.epsilon)", "Only m is corrected"),
        ("w -= self.learning_rate * m / (1 - self.beta_1**t) / (np.sqrt(v / (1 - self.beta_2**t)) + self.epsilon)",
         "beside the corrected root (PyTorch's form)"),
        ("w -= alpha * m / np.sqrt(v)", "Epsilon is missing."),
        ("w -= alpha * m / (v + self.epsilon)", "The root is missing"),
        ("w -= alpha * g / (np.sqrt(v) + self.epsilon)", "The step uses g; it must use m"),
        ("w -= self.learning_rate * g", "plain gradient descent"),
        ("pass", "w stays as it was"),
    ]),
    *rows("adam", "step", ALPHA, [
        ("alpha = self.learning_rate * (1 - self.beta_1**t) / np.sqrt(1 - self.beta_2**t)", "upside down"),
        ("t = t - 1 or 1; " + ALPHA, "t is one too small"),
        ("t = t + 1; " + ALPHA, "t is one too large"),
        (ALPHA.replace("self.learning_rate", "0.01"), "With other settings"),
    ]),
    *rows("adam", "memory", BETTER_M, [
        ("m += g - m", "m is the newest gradient alone"),
        ("m[...] = self.beta_1 * m + g", "m is missing the factor (1 - beta_1) at g"),
        ("m += g", "m is the sum of all gradients"),
        ("m += (1 - self.beta_1) * g", "m only grows"),
        ("m[...] = (1 - self.beta_1) * m + self.beta_1 * g", "beta_1 and 1 - beta_1 are swapped in m"),
        ("m += (g - m) * (1 - self.beta_2)", "m uses beta_2; it must use beta_1"),
        ("m += (g - m) * (1 - self.beta_1); m += 1e-6 * (g > 0)", 'memory["m"] after two steps has wrong numbers'),
    ]),
    *rows("adam", "memory", BETTER_V, [
        (BETTER_V + "; v /= 1 - self.beta_2**t", "v itself is divided by 1 - beta_2^t"),
        ("v += (g - v) * (1 - self.beta_2)", "v is the mean of g; it"),
        ("v += (abs(g) - v) * (1 - self.beta_2)", "v is the mean of |g|; it"),
        ("v[...] = self.beta_2 * v + g * g", "v is missing the factor (1 - beta_2) at g*g"),
        ("v += g * g", "v is the sum of all g*g"),
        ("v += (1 - self.beta_2) * g * g", "v only grows"),
        ("v[...] = (1 - self.beta_2) * v + self.beta_2 * g * g", "beta_2 and 1 - beta_2 are swapped in v"),
        ("v += (g * g - v) * (1 - self.beta_1)", "v uses beta_1; it must use beta_2"),
        ('memory["v"] = v = v + (g * g - v) * (1 - self.beta_2)', "bound to a new array"),
    ]),
    ("adam", BETTER_M + "\n        " + BETTER_V, "m = m + (g - m) * (1 - self.beta_1)\n        v = v + g * g", "memory",
     "stay zero"),
]  # fmt: skip

CROSS_ENTROPY = [
    *rows("cross_entropy", "forward", LOSS, [
        ("-log_p[rows, y].sum() / log_p.size", "Divided by N*U; the mean is over the N images"),
        ("-log_p.mean()", "true class alone: log_p[np.arange(N), y]"),
        ("-log_p.sum() / len(y)", "wanted is log P of the true class alone.\n"),
        ("-log_p[rows, y].mean() / np.log(2)", "logarithm to base 2"),
        ("-log_p[rows, y].mean() / np.log(10)", "logarithm to base 10"),
        ("-np.exp(log_p[rows, y]).mean()", "The logarithm is missing"),
        ("-np.log(np.exp(log_p[rows, y]) + 1e-8).mean()", "1e-08 is added to P"),
        ("-np.log(np.exp(log_p[rows, y]) + 1e-2).mean()", "0.01 is added to P"),
        ("-logits[rows, y].mean()", "The logits are taken for log P"),
        ("-np.log((np.exp(logits) / np.exp(logits).sum(axis=0))[rows, y]).mean()", "runs over the images (axis 0)"),
        ("np.inf", "the loss is inf"),
        ("np.float64(np.nan)", "the loss is nan"),
        ("log_p[rows, y]", "the loss has shape (5,); it must be one number"),
        ("[1.0]", "the loss is a list; it must be one number"),
    ]),
    *rows("cross_entropy", "backward", LOSS_GRADIENT, [
        ("dlogits / len(y)**2", "dlogits is divided by N twice"),
        ("dlogits / dlogits.size", "dlogits is divided by N*U"),
        ("-np.eye(4)[y] / len(y)", "dlogits lacks P"),
        ("-np.eye(4)[y] / np.exp(log_p) / len(y)", "the gradient for the probabilities, -1/P"),
        ("(np.exp(log_p) - 1) / len(y)", "1 is subtracted from every class"),
        ("np.where(np.eye(4)[y] == 1, dlogits / len(y), 0)", "dlogits is 0 outside the true class"),
        ("dlogits * (1 + (list(y) != [0, 3, 1, 3, 2])) / len(y)", "dlogits is not the slope of the loss"),
        ("dlogits.astype('float32') / len(y)", "holds float32 numbers; it must hold float64"),
        ("dlogits.T / len(y)", "dlogits has shape (4, 5); it must have (5, 4). It is transposed."),
        ("np.where(dlogits < 0, np.inf, dlogits)", "dlogits is not finite: inf at [0, 0]"),
    ]),
    ("cross_entropy", LOSS_GRADIENT, "dlogits / 5", "special", "right, but dlogits is not"),
]  # fmt: skip

SOFTMAX = [
    *rows("softmax", "forward", P, [
        ("p = np.exp(x)", "the exponentials are not divided by their sum"),
        ("p = np.exp(x) / np.exp(x).sum(axis=0)", "runs over the images (axis 0) instead of the classes (axis 1)"),
        ("p = np.exp(x) / np.exp(x).sum()", "runs over everything instead of over each row"),
        ("p = powers / powers.sum()", "runs over everything instead of over each row"),
        ("e = np.exp(x - x.max(axis=0)); p = e / e.sum(axis=0)", "runs over the images (axis 0)"),
        ("e = np.exp(x - x.max(axis=0)); p = e / e.sum()", "runs over everything"),
        (P + "; p = np.log(p)", "This is the logarithm of the softmax"),
        ("p = 1 / (1 + np.exp(-x))", "This is the sigmoid"),
        ("p = x / x.sum(axis=1, keepdims=True)", "The exponential is missing"),
        ("e = 2.0 ** x; p = e / e.sum(axis=1, keepdims=True)", "The powers are those of 2"),
    ]),
    ("softmax", SHIFTED, "np.exp(x)", "special", "logits [10000.0, 0.0] give [nan, 0.0], should be [1.0, 0.0]"),
    ("softmax", SHIFTED, "np.exp(np.clip(x, None, 9999.5))", "special", "Large logits overflow"),
]  # fmt: skip

POOLING = [
    *rows("max_pooling2d", "forward", "window.max(axis=(1, 2))", [
        ("window.min(axis=(1, 2))", "each window's smallest value"),
        ("np.abs(window).max(axis=(1, 2))", "the largest size without sign"),
        ("window.max(axis=(1, 2, 3))[:, None]", "All channels get the same value"),
        ("window[:, 0, 0]", "each window's first value, not its largest"),
        ("x[:, i : i + ph, j : j + pw].max(axis=(1, 2))", "The stride is ignored"),
    ]),
    *rows("global_average_pooling2d", "forward", GAP, [
        ("x.max(axis=(1, 2))", "the largest value of each channel"),
        ("x.sum(axis=(1, 2)) / x.shape[1]", "divided by H alone"),
        ("x.sum(axis=(1, 2)) / x.shape[2]", "divided by W alone"),
        ("x.mean(axis=(1, 2)) / x.shape[3]", "divided by the number of channels too"),
    ]),
]  # fmt: skip

LAYERS = [
    *rows("dense", "forward", 'x @ self.params["kernel"] + self.params["bias"]', [
        ('x @ self.params["kernel"] - self.params["bias"]', "The bias is subtracted instead of added"),
        ('(x @ self.params["kernel"] + self.params["bias"]).clip(0)', "Negative outputs are cut off"),
        ('(x @ self.params["kernel"] + self.params["bias"]) / len(x)', "divided by the number of images"),
    ]),
    *rows("relu", "forward", "np.maximum(x, 0)", [
        ("np.minimum(x, 0)", "the other way round"),
        ("x.copy()", "Nothing is changed: negative values must become zero"),
        ("(x > 0).astype(x.dtype)", "This is the gate (0 or 1)"),
        ("np.where(x > 0, x, 0.1 * x)", "leaky"),
        ("np.where(x > 0, x, 0.2 * x)", "leaky"),
        ("np.where(x > 0, x, 0.3 * x)", "the output has wrong numbers"),
    ]),
    *rows("flatten", "forward", "x.reshape(len(x), -1).copy()", [
        ("x.transpose(0, 2, 1, 3).reshape(len(x), -1)", "Rows and columns are swapped"),
        ("x.reshape(-1, len(x)).T.copy()", "The values of different images are mixed"),
    ]),
    *rows("conv2d", "forward", "        return y\n", [
        ("        return y + (kernel[..., 0].size - 1) * self.params['bias']\n", "added for every product"),
        ("        return y + (kh * kw - 1) * self.params['bias']\n", "added at every place of the kernel"),
        ("        b = self.params['bias']\n        return (y - b) / kernel[..., 0].size + b\n", "the window's mean"),
    ]),
    *rows("conv2d", "forward", "seen @ kernel[u, v]", [
        ("seen @ kernel[v, u]", "Rows and columns of the kernel are swapped"),
        ("seen[..., :1] @ kernel[u, v, :1]", "Only the first channel is used"),
    ]),
    ("conv2d", "y += seen", "y = self.params['bias'] + seen", "forward", "Only the kernel's last place counts"),
    ("conv2d", "x[:, u : u + oh * sh : sh, v : v + ow * sw : sw]", "x[:, u : u + oh, v : v + ow]", "forward",
     "The stride is ignored: window (i, j) begins at (i*sh, j*sw)"),
]  # fmt: skip

DROPOUT = rows("dropout", "forward", "return x * mask", [
    ("return x * 1.01 if not training else x * mask", "forward scales features there too"),
    ("return x * mask * (self.rng.random(x.shape) > 0.5)", "forward drops features there too"),
    ("return x if not training else x * mask", "hands on its own input; return a copy"),
    ("return (x * mask).astype('float32')", "holds float32 numbers"),
    ("return (x * mask).astype('float32') if training else x.copy()", "what forward returns holds float32 numbers"),
    ("x *= mask; return x.copy()", "forward changes its input x"),
    ("return x * (mask + 0.0) if not training else x + 0 * mask", "Nothing is dropped although training is True"),
    ("return x * mask * (1 + (x > 0) * training)", "one factor, 1 / (1 - rate)"),
    ("return x * mask * (1 + 1e-3 * training)", "they are multiplied by 1.251 instead of 1.25"),
    ("return x * mask / (2 if training else 1)", "they are multiplied by 0.625 instead of 1.25"),
]) + rows("dropout", "forward", "kept = self.rng.random(x.shape) >= self.rate", [
    ("kept = self.rng.random(x.shape) >= self.rate + 0.1", "dropped is not rate.\nrate 0.2: 30% of the features are 0"),
    ("kept = self.rng.random(x.shape[:1] + (1,) * (x.ndim - 1)) + 0 * x >= self.rate", "Whole rows or columns"),
    ("kept = self.rng.random(x.shape[1:]) + 0 * x >= self.rate", "Whole rows or columns are dropped"),
])  # fmt: skip

NORMED, INVERSE = "normed = (x - mean) * inverse  # X's shape", "inverse = 1 / np.sqrt(variance + self.epsilon)"
SCALED = 'return self.params["gamma"] * normed + self.params["beta"]'
STATISTICS = "mean, variance = x.mean(axis=over), x.var(axis=over)"
MOVED = "self.params[key][...] = self.momentum * self.params[key] + (1 - self.momentum) * new"
TERMS, KEPT = "dx -= (dbeta + normed * dgamma) / m", "self._keep((normed, inverse, training), training, keep)"

BATCH_NORMALIZATION = [
    *rows("batch_normalization", "forward", SCALED, [
        ("return self.params['gamma'] * normed", "beta is not added."),
        ("return normed + self.params['beta']", "gamma is left out"),
        ("return normed", "gamma and beta are left out: y ="),
        ("return self.params['beta'] * normed + self.params['gamma']", "gamma and beta are swapped"),
    ]),
    *rows("batch_normalization", "forward", NORMED, [
        ("normed = x - mean", "The mean is subtracted, and the deviation does not divide."),
        ("normed = x * inverse", "The mean is not subtracted."),
    ]),
    *rows("batch_normalization", "forward", INVERSE, [
        ("inverse = 1 / np.sqrt(variance)", "Epsilon is missing: divide by"),
        ("inverse = 1 / (np.sqrt(variance) + self.epsilon)", "Epsilon stands beside the root"),
        ("inverse = 1 / (variance + self.epsilon)", "The root is missing: divide by"),
        ("variance = x.var(axis=over, ddof=1) if training else variance; " + INVERSE, "is divided by M - 1; here"),
        ("mean, variance = x.mean(0), x.var(0); " + INVERSE, "over the images alone, place by place"),
        ("mean, variance = x.mean(), x.var(); " + INVERSE, "over everything; wanted is one of each"),
        ("mean, variance = (f((1, 2), keepdims=True) for f in (x.mean, x.var)) if x.ndim == 4 else (mean, variance)\n"
         "        " + INVERSE, "over each image for itself; wanted is one of each"),
    ]),
    ("batch_normalization", STATISTICS, "new = x.mean(axis=over), x.var(axis=over)", "forward",
     "by the moving mean and variance; it must take the batch's"),
    *rows("batch_normalization", "moving", MOVED, [
        ("pass", "moving_mean stays as it was"),
        ("self.params[key][...] = (1 - self.momentum) * self.params[key] + self.momentum * new",
         "momentum and 1 - momentum are swapped in moving_mean"),
        ("self.params[key][...] = new", "moving_mean is this batch's alone"),
        ("self.params[key][...] = self.momentum * self.params[key] + new", "factor 1 - momentum is missing"),
        ("self.params[key] += (1 - self.momentum) * new", "moving_mean only grows"),
        ("self.params[key] *= self.momentum", "In moving_mean the batch's own part is missing"),
        (MOVED + " * (x[..., 0].size / max(1, x[..., 0].size - 1) if key[-1] == 'e' else 1)", "variance over M - 1"),
        (MOVED.replace("new", "(np.sqrt(new) if key[-1] == 'e' else new)"), "takes the deviation; leave the root"),
        (MOVED.replace("new", "(new + self.epsilon * (key[-1] == 'e'))"), "takes epsilon in; leave it to forward"),
        (MOVED.replace("new", "mean"), "takes the batch's mean; it must take its variance"),
        (MOVED + " + 1e-3", "after a training pass moving_mean has wrong numbers."),
    ]),
    *rows("batch_normalization", "rest", KEPT, [
        ("self._keep((normed, inverse, True), training, keep)", "dx loses two terms, but at rest mean and"),
        ("if training: self._keep((normed, inverse, training), training, keep)", "through the training pass before"),
        ("self._keep((normed * (1 + (not training)), inverse, training), training, keep)",
         "the gradient of gamma is not that of this pass"),
        (KEPT + "\n        if not training: self.params['moving_variance'] *= 0.99",
         "Where training is False forward moves moving_variance"),
        (KEPT + "\n        if not training: return x.copy()", "forward hands on its input; it normalises"),
        (KEPT + "\n        if not training: return normed", "gamma and beta are left out where training is False"),
        (KEPT + "\n        if not training: normed = (x - mean) / np.sqrt(variance)", "Epsilon is missing where"),
        (KEPT + "\n        if not training: normed = (x - mean) * inverse**2", "The root is missing where training"),
        (KEPT + "\n        if not training: o = (0, 1, 2)[: x.ndim - 1]; normed = (x - x.mean(o)) / np.sqrt(x.var(o) + "
         "self.epsilon)",
         "forward still normalises by the batch"),
    ]),
    *rows("batch_normalization", "dx", TERMS, [
        ("pass", "dx is off by a constant and a multiple of x"),
        ("dx -= dbeta / m", "dx is off by a multiple of x less its mean"),
        ("dx -= normed * dgamma / m", "dx is off by a constant, to all digits"),
        ("dx -= dbeta / m + normed * dgamma / (m - 1)", "comes by the variance is 36/35 times the true one"),
        ("dx -= dbeta + normed * dgamma", "comes by the mean and that by the variance is 36 times the true one"),
    ]),
    ("batch_normalization", "* inverse * dx", "* dx", "dx", "The gradient dx is wrong."),
    ("batch_normalization", "(dy * normed).sum(axis=over)", "(dy * normed / inverse).sum(axis=over)", "dx",
     "dx is off by a multiple of x"),
    ("batch_normalization", 'self.grads["gamma"] = dgamma', 'self.grads["gamma"] = dgamma / inverse', "gamma",
     "the sum of dy times x less its mean"),
    ("batch_normalization", 'self.grads["beta"] = dbeta', 'self.grads["beta"] = dy.sum(axis=0)', "beta",
     'self.grads["beta"] has shape (3, 4, 2); it must have (2,)'),
]  # fmt: skip

SALIENCY = [
    *rows("saliency", "map", "    return dy", [
        ("    return images * dy", "gradient times input"),
        ("    return dy / len(images)", "divided by the number of images"),
        ("    images += 1\n    return dy", "The images are changed"),
        ("    return dy.sum(axis=3)", "the map has shape (3, 7, 8); it must have (3, 7, 8, 2)"),
        ("    return dy * (1 + 1e-6)", "the map has wrong numbers"),
    ]),
    *rows("saliency", "map", SEED, [
        (f"{PROBABILITIES}; dy[:] = (p * {ONE}).sum(1, keepdims=True) * ({ONE} - p)", "explains the probability"),
        (f"{PROBABILITIES}; dy[:] = {ONE} - p", "the log-probability"),
        (f"{PROBABILITIES}; dy[:] = p - {ONE}", "P - e_c, as in training"),
        ("dy[:] = y", "The seed is the logits"),
        (f"dy[:] = y * {ONE}", "The seed is the logit itself"),
        ("dy[np.arange(len(images)), y.argmax(axis=1)] = 1", "The predicted class is explained"),
        ("dy[:, classes[0]] = 1", "All images get the class of the first"),
        ("dy[:] = y; dy[:, classes] = 1", "The seed keeps old numbers"),
        (f"{PROBABILITIES}; dy[:] = p; dy[np.arange(len(images)), classes] = 1\n    dy = p * (dy - (dy * p).sum(1, "
         "keepdims=True))", "leave the last layer out for the logit. The seed keeps old numbers"),
        (f"{PROBABILITIES}; dy[:] = p; dy[:, classes] = 1\n    dy = p * (dy - (dy * p).sum(1, keepdims=True))",
         "leave the last layer out for the logit. The seed keeps old numbers"),
        (f"{PROBABILITIES}; dy[:, classes] = 1\n    dy = p * (dy - (dy * p).sum(1, keepdims=True))",
         "leave the last layer out for the logit. The seed keeps old numbers"),
    ]),
]  # fmt: skip

FORMULAS = ADAM + CROSS_ENTROPY + SOFTMAX + POOLING + LAYERS + DROPOUT + BATCH_NORMALIZATION + SALIENCY
